// Random forests of a given shape as the arrays of their compiled form, and rows that are hard to rank in
// them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "trees/bitslice/arrays.hpp"
#include "trees/forest_arrays.hpp"
#include "trees/node.hpp"

struct ForestShape {
  using Kinds = std::vector<shortlist::trees::ViewKind>;

  std::vector<Kinds> features;               // the views of each feature, which is one column
  std::size_t n_thresholds = 20;             // of a column
  std::size_t n_keys = 12;                   // of a column
  std::vector<std::size_t> n_leaves{1, 30};  // of the trees, in turn; powers of two where they are oblivious
  std::size_t trees_of_segment = 11;
  std::size_t n_segments = 1;
  std::uint32_t n_outputs = 1;
  bool vector_leaves = false;
  bool linear_leaves = false;
  std::uint32_t flags = 0;  // of trees::Flag
};

// Owns what ForestArrays refers to.
struct ForestVectors {
  std::vector<std::uint32_t> header;
  std::vector<double> scales{1.0, 1.0, 0.0};
  std::vector<double> base, bias;
  std::vector<std::uint32_t> column_features;
  std::vector<double> thresholds;
  std::vector<std::uint32_t> threshold_offsets{0};
  std::vector<double> keys;
  std::vector<std::uint32_t> key_offsets{0};
  std::vector<std::uint16_t> key_codes;
  std::vector<std::uint32_t> view_columns;
  std::vector<std::uint8_t> view_kinds;
  std::vector<std::uint32_t> segment_views{0}, segment_trees{0};
  std::vector<std::uint32_t> tree_roots{0}, tree_leaves{0}, tree_outputs, round_trees{0};
  std::vector<std::uint64_t> nodes;
  std::vector<double> leaf_values;
  std::vector<std::uint32_t> leaf_ids;
  std::vector<std::uint32_t> tree_bitsets{0}, bitset_offsets{0}, bitset_words;
  std::vector<double> linear_constants, linear_coefficients;
  std::vector<std::uint32_t> linear_offsets, linear_features;

  [[nodiscard]] shortlist::trees::ForestArrays arrays() const {
    shortlist::trees::ForestArrays arrays;
    arrays.header = header;
    arrays.scales = scales;
    arrays.base = base;
    arrays.bias = bias;
    arrays.column_features = column_features;
    arrays.thresholds = thresholds;
    arrays.threshold_offsets = threshold_offsets;
    arrays.keys = keys;
    arrays.key_offsets = key_offsets;
    arrays.key_codes = key_codes;
    arrays.view_columns = view_columns;
    arrays.view_kinds = view_kinds;
    arrays.segment_views = segment_views;
    arrays.segment_trees = segment_trees;
    arrays.tree_roots = tree_roots;
    arrays.tree_leaves = tree_leaves;
    arrays.tree_outputs = tree_outputs;
    arrays.round_trees = round_trees;
    arrays.nodes = nodes;
    arrays.leaf_values = leaf_values;
    arrays.leaf_ids = leaf_ids;
    arrays.tree_bitsets = tree_bitsets;
    arrays.bitset_offsets = bitset_offsets;
    arrays.bitset_words = bitset_words;
    arrays.linear_constants = linear_constants;
    arrays.linear_offsets = linear_offsets;
    arrays.linear_features = linear_features;
    arrays.linear_coefficients = linear_coefficients;
    return arrays;
  }
};

inline shortlist::trees::BitsliceArrays arrays_of(const shortlist::trees::BitsliceVectors& made) {
  return {made.predicate_offsets, made.predicates, made.logic_offsets, made.logic,
          made.plane_offsets,     made.planes,     made.code_leaves};
}

class RandomForest {
 public:
  RandomForest(const ForestShape& shape, std::uint32_t seed) : shape_(shape), random_(seed) {
    for (const ForestShape::Kinds& kinds : shape.features) add_column(asks_for_set(kinds.front()));
    for (std::size_t s = 0; s < shape.n_segments; ++s) add_segment();
    add_outputs();
  }

  [[nodiscard]] shortlist::trees::ForestArrays arrays() const { return made_.arrays(); }
  [[nodiscard]] const ForestVectors& vectors() const { return made_; }

  // n x features numbers: special ones, and those at thresholds and keys.
  [[nodiscard]] std::vector<double> rows(std::size_t n) {
    std::vector<double> numbers;
    for (std::size_t i = 0; i < n * shape_.features.size(); ++i)
      numbers.push_back(number(i % shape_.features.size()));
    return numbers;
  }

 private:
  using Flag = shortlist::trees::Flag;
  using ViewKind = shortlist::trees::ViewKind;

  [[nodiscard]] std::size_t below(std::size_t bound) { return random_() % bound; }
  [[nodiscard]] double normal() { return std::normal_distribution<double>()(random_); }
  [[nodiscard]] bool has(Flag flag) const { return (shape_.flags & static_cast<std::uint32_t>(flag)) != 0; }

  void add_column(bool of_sets) {
    made_.column_features.push_back(static_cast<std::uint32_t>(made_.column_features.size()));
    std::vector<double>& values = of_sets ? made_.keys : made_.thresholds;
    const std::size_t first = values.size(), n = of_sets ? shape_.n_keys : shape_.n_thresholds;
    while (values.size() < first + n) {
      while (values.size() < first + n)
        values.push_back(of_sets ? static_cast<double>(below(3 * n)) : split());
      std::sort(values.begin() + static_cast<std::ptrdiff_t>(first), values.end());
      values.erase(std::unique(values.begin() + static_cast<std::ptrdiff_t>(first), values.end()),
                   values.end());
    }
    while (made_.key_codes.size() < made_.keys.size())
      made_.key_codes.push_back(static_cast<std::uint16_t>(below(n)));
    made_.threshold_offsets.push_back(static_cast<std::uint32_t>(made_.thresholds.size()));
    made_.key_offsets.push_back(static_cast<std::uint32_t>(made_.keys.size()));
  }
  [[nodiscard]] double split() {
    static constexpr double kSplits[] = {0.0, 1e-35f, -1e-35, std::numeric_limits<double>::infinity()};
    return below(12) == 0 ? kSplits[below(std::size(kSplits))] : normal();
  }

  void add_segment() {
    for (std::size_t f = 0; f < shape_.features.size(); ++f) {
      for (const ViewKind kind : shape_.features[f]) {
        made_.view_columns.push_back(static_cast<std::uint32_t>(f));
        made_.view_kinds.push_back(static_cast<std::uint8_t>(kind));
      }
    }
    for (std::size_t t = 0; t < shape_.trees_of_segment; ++t) add_tree();
    made_.segment_views.push_back(static_cast<std::uint32_t>(made_.view_columns.size()));
    made_.segment_trees.push_back(static_cast<std::uint32_t>(made_.tree_outputs.size()));
  }

  void add_tree() {
    const std::size_t n_leaves = shape_.n_leaves[made_.tree_outputs.size() % shape_.n_leaves.size()];
    if (has(Flag::oblivious)) {
      for (std::size_t n = 1; n < n_leaves; n *= 2) made_.nodes.push_back(decision());
    } else {
      add_nodes(n_leaves);
    }
    std::vector<std::uint32_t> ids(n_leaves);
    std::iota(ids.begin(), ids.end(), 0u);
    std::shuffle(ids.begin(), ids.end(), random_);
    made_.leaf_ids.insert(made_.leaf_ids.end(), ids.begin(), ids.end());
    made_.tree_roots.push_back(static_cast<std::uint32_t>(made_.nodes.size()));
    made_.tree_leaves.push_back(static_cast<std::uint32_t>(made_.leaf_ids.size()));
    made_.tree_bitsets.push_back(static_cast<std::uint32_t>(made_.bitset_offsets.size() - 1));
    made_.tree_outputs.push_back(shape_.vector_leaves ? 0
                                                      : static_cast<std::uint32_t>(below(shape_.n_outputs)));
    made_.round_trees.push_back(static_cast<std::uint32_t>(made_.tree_outputs.size()));
  }

  // A subtree of as many leaves at each node; some trees are almost chains.
  void add_nodes(std::size_t n_leaves) {
    const std::size_t root = made_.nodes.size();
    const bool chain = below(4) == 0;
    std::vector<std::size_t> leaves_below{n_leaves};
    for (std::size_t i = 0; i < leaves_below.size(); ++i) {
      const std::size_t n = leaves_below[i];
      if (n == 1) {
        made_.nodes.push_back(shortlist::trees::kLeafRank | std::uint64_t{root + i} << 32);
        continue;
      }
      made_.nodes.push_back(decision() | std::uint64_t{root + leaves_below.size()} << 32);
      const std::size_t left = chain ? (below(2) == 0 ? 1 : n - 1) : 1 + below(n - 1);
      leaves_below.push_back(left);
      leaves_below.push_back(n - left);
    }
  }

  [[nodiscard]] std::uint64_t decision() {
    const std::size_t first_view = made_.segment_views.back();
    const std::size_t view = below(made_.view_columns.size() - first_view);
    if (!asks_for_set(static_cast<ViewKind>(made_.view_kinds[first_view + view])))
      return below(shape_.n_thresholds) | std::uint64_t{view} << 16;
    const std::uint64_t bitset = made_.bitset_offsets.size() - 1 - made_.tree_bitsets.back();
    for (std::size_t n = below(shape_.n_keys / 32 + 2); n > 0; --n) made_.bitset_words.push_back(word());
    made_.bitset_offsets.push_back(static_cast<std::uint32_t>(made_.bitset_words.size()));
    return bitset | std::uint64_t{view} << 16;
  }

  // Sets often have words in common, or differ in words of no code alone.
  [[nodiscard]] std::uint32_t word() {
    static constexpr std::uint32_t kWords[] = {0, 0, 6, 0xffffffff};
    return below(2) == 0 ? kWords[below(std::size(kWords))] : static_cast<std::uint32_t>(random_());
  }

  void add_outputs() {
    const std::uint32_t width = shape_.vector_leaves ? shape_.n_outputs : 1;
    const auto n_features = static_cast<std::uint32_t>(shape_.features.size());
    const auto n_rounds = static_cast<std::uint32_t>(made_.tree_outputs.size());
    made_.header = {
        shortlist::trees::kForestFormat, n_features, shape_.n_outputs, width, 0, 0, shape_.flags, n_rounds};
    for (std::uint32_t i = 0; i < shape_.n_outputs; ++i) {
      made_.base.push_back(normal());
      made_.bias.push_back(normal());
    }
    const std::size_t n_leaves = made_.leaf_ids.size();
    while (made_.leaf_values.size() < n_leaves * width)
      made_.leaf_values.push_back(has(Flag::float32) ? static_cast<float>(normal()) : normal());
    if (!shape_.linear_leaves) return;
    made_.linear_offsets.push_back(0);
    for (std::size_t i = 0; i < n_leaves; ++i) {
      made_.linear_constants.push_back(normal());
      made_.linear_features.push_back(static_cast<std::uint32_t>(below(n_features)));
      made_.linear_coefficients.push_back(normal());
      made_.linear_offsets.push_back(static_cast<std::uint32_t>(i + 1));
    }
  }

  [[nodiscard]] double number(std::size_t column) {
    static constexpr double kInfinity = std::numeric_limits<double>::infinity();
    static constexpr double kSpecial[] = {std::numeric_limits<double>::quiet_NaN(),
                                          0.0,
                                          -0.0,
                                          kInfinity,
                                          -kInfinity,
                                          1e-35f,
                                          1e-36,
                                          -1.0,
                                          1e18};
    const std::size_t kind = below(8);
    if (kind < 2) return kSpecial[below(std::size(kSpecial))];
    if (kind == 2) return normal();
    if (asks_for_set(shape_.features[column].front())) {
      const double key = made_.keys[made_.key_offsets[column] + below(shape_.n_keys)];
      if (shape_.features[column].front() == ViewKind::hashed) return 0x1p53 + 2.0 * key;
      return kind == 3 ? key + 0.5 : key;
    }
    const double at = made_.thresholds[made_.threshold_offsets[column] + below(shape_.n_thresholds)];
    if (kind == 3) return std::nextafter(at, kInfinity);
    if (kind == 4) return std::nextafter(at, -kInfinity);
    return kind == 5 ? static_cast<double>(static_cast<float>(at)) : at;
  }

  ForestShape shape_;
  std::mt19937 random_;
  ForestVectors made_;
};
