// The compiled form of a forest: one tensor a member, of that name. check.cpp says what must hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace shortlist::trees {

inline constexpr std::uint32_t kForestFormat = 2;

// Where each number of `header` stands.
enum class Header : std::uint8_t {
  format,          // kForestFormat
  n_features,      // of a row
  n_outputs,       // sums a row
  leaf_width,      // 1, or n_outputs where a leaf is a vector
  transform,       // Transform
  aggregate,       // Aggregate
  flags,           // of Flag
  default_rounds,  // rounds that predictions take unless told; never more than there are
};
inline constexpr std::size_t kHeaderSize = 8;

enum class Flag : std::uint32_t {
  float32 = 1,              // sums and transform in float32
  float32_input = 2,        // values are rounded to float32 first
  average = 4,              // sums are divided by the number of rounds,
  average_raw = 8,          // in raw scores too
  oblivious = 16,           // one decision a level
  bias_of_first_round = 32  // only ranges that begin with round 0 get the bias
};
inline constexpr std::uint32_t kAllFlags = 63;

enum class Aggregate : std::uint32_t { sum = 0, min = 1, max = 2 };
inline constexpr std::uint32_t kAggregates = 3;

struct ForestArrays {
  std::span<const std::uint32_t> header;  // [kHeaderSize]
  std::span<const double> scales;         // [3]: of the transform, above 0; of the sums; of absent entries
  std::span<const double> base;           // [n_outputs] where sums begin
  std::span<const double> bias;           // [n_outputs] added last

  // A column is a feature with some of its thresholds, or with the keys of its categories; by feature,
  // ascending.
  std::span<const std::uint32_t> column_features;    // [n_columns]
  std::span<const double> thresholds;                // distinct and ascending in a column
  std::span<const std::uint32_t> threshold_offsets;  // [n_columns + 1]
  std::span<const double> keys;                      // distinct and ascending in a column
  std::span<const std::uint32_t> key_offsets;        // [n_columns + 1]
  // Code of each key; keys that every node treats alike share one. With codes 0 .. c - 1 in a column, c
  // stands for missing and c + 1 for a value without key.
  std::span<const std::uint16_t> key_codes;  // [n_keys]
  // A view is a column with one way of handling what is missing.
  std::span<const std::uint32_t> view_columns;  // [n_views] ascending within a segment
  std::span<const std::uint8_t> view_kinds;     // [n_views] ViewKind
  // A segment is a run of trees with views of its own, at most kMaxViews: nodes count views from its first.
  std::span<const std::uint32_t> segment_views;  // [n_segments + 1]
  std::span<const std::uint32_t> segment_trees;  // [n_segments + 1]

  // Tree t has nodes [tree_roots[t], tree_roots[t + 1]), the root first, each child behind its parent, and
  // leaves [tree_leaves[t], tree_leaves[t + 1]) in the order of their nodes.
  std::span<const std::uint32_t> tree_roots;    // [n_trees + 1]
  std::span<const std::uint32_t> tree_leaves;   // [n_trees + 1]
  std::span<const std::uint32_t> tree_outputs;  // [n_trees]; 0 where leaves are vectors
  std::span<const std::uint32_t> round_trees;   // [n_rounds + 1] round r has trees [round_trees[r], [r + 1])
  // rank | view << 16 | left << 32. Goes right, to left + 1, where the row's rank in the view is above
  // `rank`; with a view of keys where the row's code is not in bitset `rank` of the tree. A leaf: left
  // is itself, rank 65535, view 0. In an oblivious tree node j, with left 0, decides bit j of the leaf.
  std::span<const std::uint64_t> nodes;
  std::span<const double> leaf_values;          // [n_leaves * leaf_width], finite
  std::span<const std::uint32_t> leaf_ids;      // [n_leaves] as the training library numbers them
  std::span<const std::uint32_t> tree_bitsets;  // [n_trees + 1] tree t has bitsets [tree_bitsets[t], [t + 1])
  std::span<const std::uint32_t> bitset_offsets;  // [n_bitsets + 1] into bitset_words
  std::span<const std::uint32_t> bitset_words;    // bit c % 32 of word c / 32: code c goes left

  // Linear leaves: constant + coefficients * features in order, the plain value where one is NaN. All four
  // are empty where no leaf is linear.
  std::span<const double> linear_constants;        // [n_leaves]
  std::span<const std::uint32_t> linear_offsets;   // [n_leaves + 1]
  std::span<const std::uint32_t> linear_features;  // below n_features
  std::span<const double> linear_coefficients;

  // A linear model besides: n_features x n_outputs, or empty.
  std::span<const float> weights;
};

// Calls visit(name, span) for each tensor, so that whoever reads or writes the form names them once.
template <class Arrays, class Visit>
void for_each_tensor(Arrays& arrays, Visit&& visit) {
  visit("header", arrays.header);
  visit("scales", arrays.scales);
  visit("base", arrays.base);
  visit("bias", arrays.bias);
  visit("column_features", arrays.column_features);
  visit("thresholds", arrays.thresholds);
  visit("threshold_offsets", arrays.threshold_offsets);
  visit("keys", arrays.keys);
  visit("key_offsets", arrays.key_offsets);
  visit("key_codes", arrays.key_codes);
  visit("view_columns", arrays.view_columns);
  visit("view_kinds", arrays.view_kinds);
  visit("segment_views", arrays.segment_views);
  visit("segment_trees", arrays.segment_trees);
  visit("tree_roots", arrays.tree_roots);
  visit("tree_leaves", arrays.tree_leaves);
  visit("tree_outputs", arrays.tree_outputs);
  visit("round_trees", arrays.round_trees);
  visit("nodes", arrays.nodes);
  visit("leaf_values", arrays.leaf_values);
  visit("leaf_ids", arrays.leaf_ids);
  visit("tree_bitsets", arrays.tree_bitsets);
  visit("bitset_offsets", arrays.bitset_offsets);
  visit("bitset_words", arrays.bitset_words);
  visit("linear_constants", arrays.linear_constants);
  visit("linear_offsets", arrays.linear_offsets);
  visit("linear_features", arrays.linear_features);
  visit("linear_coefficients", arrays.linear_coefficients);
  visit("weights", arrays.weights);
}

}  // namespace shortlist::trees
