// What is done with the leaf that a row reaches in a tree.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "trees/walk.hpp"

namespace shortlist::trees {

// One value a leaf, added to the tree's output. `values` by node, or by leaf in oblivious forests.
template <class Sum>
struct AddScalar {
  const Sum* values;
  Sum* sums;  // n x n_outputs
  std::size_t n_outputs;

  void operator()(const Tree& tree, std::size_t row, std::size_t at) const noexcept {
    sums[row * n_outputs + tree.output] += values[at];
  }
};

// The number of the leaf at a node.
struct LeafNumbers {
  const std::uint32_t* of_node;  // null where the kernel counts in leaves already

  [[nodiscard]] std::size_t operator()(std::size_t at) const noexcept {
    return of_node == nullptr ? at : of_node[at];
  }
};

template <class Sum>
struct AddVector {
  const Sum* values;  // n_leaves x n_outputs
  LeafNumbers leaf;
  Sum* sums;
  std::size_t n_outputs;

  void operator()(const Tree&, std::size_t row, std::size_t at) const noexcept {
    const Sum* vector = values + leaf(at) * n_outputs;
    for (std::size_t i = 0; i < n_outputs; ++i) sums[row * n_outputs + i] += vector[i];
  }
};

// The least or the greatest of the leaves, of one value or of a vector.
template <class Sum, bool greatest>
struct KeepExtreme {
  const Sum* values;  // n_leaves x width
  std::size_t width;
  LeafNumbers leaf;
  Sum* sums;
  std::size_t n_outputs;

  void operator()(const Tree& tree, std::size_t row, std::size_t at) const noexcept {
    const Sum* vector = values + leaf(at) * width;
    Sum* out = sums + row * n_outputs + tree.output;
    for (std::size_t i = 0; i < width; ++i) {
      const bool better = greatest ? vector[i] > out[i] : vector[i] < out[i];
      if (better) out[i] = vector[i];
    }
  }
};

struct LinearTerms {
  const double* constants;
  const std::uint32_t* offsets;
  const std::uint32_t* features;
  const double* coefficients;
};

template <class Rows>
struct AddLinear {
  const double* values;  // of plain leaves
  LeafNumbers leaf;
  LinearTerms terms;
  Rows rows;
  double* sums;
  std::size_t n_outputs;

  void operator()(const Tree& tree, std::size_t row, std::size_t at) const noexcept {
    const std::size_t number = leaf(at);
    double value = terms.constants[number];
    for (std::uint32_t i = terms.offsets[number]; i < terms.offsets[number + 1]; ++i) {
      const auto x = static_cast<double>(rows.at(row, terms.features[i]));
      if (x != x) {
        value = values[number];
        break;
      }
      const double seen = std::fabs(x) <= static_cast<double>(1e-35f) ? 0.0 : x;
      value += terms.coefficients[i] * seen;
    }
    sums[row * n_outputs + tree.output] += value;
  }
};

struct KeepLeafId {
  const std::uint32_t* ids;
  LeafNumbers leaf;
  const Tree* first_tree;  // of the range
  std::uint32_t* out;      // n x n_trees of the range
  std::size_t n_trees;

  void operator()(const Tree& tree, std::size_t row, std::size_t at) const noexcept {
    out[row * n_trees + static_cast<std::size_t>(&tree - first_tree)] = ids[leaf(at)];
  }
};

}  // namespace shortlist::trees
