// A forest of decision trees in compiled form, which scores exactly as the library that trained it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "trees/node.hpp"
#include "trees/quantise.hpp"
#include "trees/transform.hpp"
#include "trees/walk.hpp"

namespace shortlist {
class TensorFile;
}

namespace shortlist::trees {

inline constexpr std::uint32_t kForestFormat = 1;

// The compiled form: one tensor a member, of that name.
struct ForestArrays {
  // kForestFormat, n_features, n_outputs, Transform, divisor: each sum is divided by the divisor before the
  // transform (random forests average), 0 for no division.
  std::span<const std::uint32_t> header;  // [5]
  std::span<const double> scale;          // [1] of the sigmoid, above 0
  // Distinct, ascending thresholds of feature f: [threshold_offsets[f], threshold_offsets[f + 1]).
  std::span<const double> thresholds;
  std::span<const std::uint32_t> threshold_offsets;  // [n_features + 1]
  std::span<const std::uint32_t> categories;         // likewise: the categories that some node names
  std::span<const std::uint32_t> category_offsets;   // [n_features + 1]
  // A view is a feature with one way of handling what is missing; by feature, ascending.
  std::span<const std::uint32_t> view_features;  // [n_views]
  std::span<const std::uint8_t> view_kinds;      // [n_views] ViewKind
  // Tree t has nodes [tree_roots[t], tree_roots[t + 1]), the root first, each child behind its parent.
  std::span<const std::uint32_t> tree_roots;  // [n_trees + 1]
  // rank | view << 16 | left << 32. Goes right, to left + 1, where the row's rank in the view is above
  // `rank`; with a view of categories where the row's code is not in bitset `rank` of the tree. A leaf: left
  // is itself, rank 65535, view 0.
  std::span<const std::uint64_t> nodes;
  std::span<const double> values;               // [n_nodes] of leaves, finite
  std::span<const std::uint32_t> tree_bitsets;  // [n_trees + 1] tree t has bitsets [tree_bitsets[t], [t + 1])
  std::span<const std::uint32_t> bitset_offsets;  // [n_bitsets + 1] into bitset_words
  std::span<const std::uint32_t> bitset_words;    // bit c % 32 of word c / 32: category code c goes left
};

class Forest {
 public:
  // Copies the arrays after checking every count and index; throws invalid_format naming array and tree, or
  // unsupported for a newer format. Any bytes that pass are safe to walk.
  explicit Forest(const ForestArrays& arrays);
  [[nodiscard]] static Forest load(const TensorFile& file);

  [[nodiscard]] std::size_t n_features() const noexcept { return n_features_; }
  [[nodiscard]] std::size_t n_outputs() const noexcept { return n_outputs_; }
  [[nodiscard]] std::size_t n_trees() const noexcept { return trees_.size(); }

  // What predict() needs for n rows; does not grow beyond one block of rows.
  [[nodiscard]] std::size_t scratch_bytes(std::size_t n) const noexcept;
  // rows: n x n_features, row-major. out: n x n_outputs. raw leaves the sums of leaves as they are, without
  // the division and the transform. scratch: scratch_bytes(n) bytes, aligned to 2.
  void predict(const float* rows, std::size_t n, bool raw, double* out, std::byte* scratch) const noexcept;
  void predict(const double* rows, std::size_t n, bool raw, double* out, std::byte* scratch) const noexcept;

 private:
  template <class T>
  void predict_rows(const T* rows, std::size_t n, bool raw, double* out, std::byte* scratch) const noexcept;
  [[nodiscard]] WalkArrays walk_arrays() const noexcept;

  std::size_t n_features_ = 0;
  std::size_t n_outputs_ = 0;
  std::size_t block_rows_ = 0;  // rows quantised and walked at a time, a multiple of kGroupRows
  Transform transform_ = Transform::identity;
  double scale_ = 1.0;
  double divisor_ = 0.0;
  Quantiser quantiser_;
  std::vector<Tree> trees_;
  AlignedBuffer<Node> nodes_;
  AlignedBuffer<double> values_;
  std::vector<std::uint32_t> bitset_offsets_;
  std::vector<std::uint32_t> bitset_words_;
};

}  // namespace shortlist::trees
