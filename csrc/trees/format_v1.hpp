// Compiled forests of format 1, which version 0.1.0 wrote for LightGBM models, made into today's form.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "trees/forest_arrays.hpp"

namespace shortlist::trees {

// Format 1 as it was, one tensor a member. Its views are of features, its values of nodes.
struct ForestArraysV1 {
  std::span<const std::uint32_t> header;  // [5] 1, n_features, n_outputs, transform, divisor
  std::span<const double> scale;
  std::span<const double> thresholds;
  std::span<const std::uint32_t> threshold_offsets;  // [n_features + 1]
  std::span<const std::uint32_t> categories;
  std::span<const std::uint32_t> category_offsets;  // [n_features + 1]
  std::span<const std::uint32_t> view_features;
  std::span<const std::uint8_t> view_kinds;
  std::span<const std::uint32_t> tree_roots;
  std::span<const std::uint64_t> nodes;
  std::span<const double> values;
  std::span<const std::uint32_t> tree_bitsets;
  std::span<const std::uint32_t> bitset_offsets;
  std::span<const std::uint32_t> bitset_words;
};

// Owns what changes on the way. Throws invalid_format where the arrays can't be read; whether they hold
// together check_forest() finds out afterwards.
class UpgradedForest {
 public:
  explicit UpgradedForest(const ForestArraysV1& old);
  [[nodiscard]] ForestArrays arrays() const;

 private:
  void add_columns(const ForestArraysV1& old);
  void add_column(const ForestArraysV1& old, std::uint32_t feature, bool set);
  void add_leaves(const ForestArraysV1& old);

  ForestArraysV1 old_;
  std::vector<std::uint32_t> header_;
  std::vector<double> scales_, zeros_;
  std::vector<std::uint32_t> column_features_, threshold_offsets_{0}, key_offsets_{0};
  std::vector<double> thresholds_, keys_;
  std::vector<std::uint16_t> key_codes_;
  std::vector<std::uint32_t> view_columns_, segment_views_, segment_trees_;
  std::vector<std::uint32_t> tree_leaves_{0}, tree_outputs_, round_trees_;
  std::vector<double> leaf_values_;
  std::vector<std::uint32_t> leaf_ids_;
};

}  // namespace shortlist::trees
