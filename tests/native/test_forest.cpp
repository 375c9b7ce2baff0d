// A forest of two trees, one with a categorical node: scores by hand, and arrays damaged at random.
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "check.hpp"
#include "trees/forest.hpp"
#include "trees/format_v1.hpp"

using shortlist::AlignedBuffer;
using shortlist::Error;
using shortlist::trees::DenseRows;
using shortlist::trees::Forest;
using shortlist::trees::ForestArrays;
using shortlist::trees::UpgradedForest;

namespace {

constexpr std::uint64_t node(std::uint64_t rank, std::uint64_t view, std::uint64_t left) {
  return rank | view << 16 | left << 32;
}
constexpr std::uint64_t leaf(std::uint64_t at) { return node(65535, 0, at); }

// Tree 0: x0 <= 1.5 ? (x0 <= -2 ? 1 : 2) : 4, NaN left. Tree 1: x1 in {3, 40} ? 8 : 16; 3 and 40 share a
// code, 7 has its own.
struct Arrays {
  std::vector<std::uint32_t> header{2, 2, 1, 1, 0, 0, 0, 2};
  std::vector<double> scales{1.0, 1.0, 0.0};
  std::vector<double> base{0.0}, bias{0.0};
  std::vector<std::uint32_t> column_features{0, 1};
  std::vector<double> thresholds{-2.0, 1.5};
  std::vector<std::uint32_t> threshold_offsets{0, 2, 2};
  std::vector<double> keys{3, 7, 40};
  std::vector<std::uint32_t> key_offsets{0, 0, 3};
  std::vector<std::uint16_t> key_codes{0, 1, 0};
  std::vector<std::uint32_t> view_columns{0, 1};
  std::vector<std::uint8_t> view_kinds{1, 5};
  std::vector<std::uint32_t> segment_views{0, 2}, segment_trees{0, 2};
  std::vector<std::uint32_t> tree_roots{0, 5, 8};
  std::vector<std::uint32_t> tree_leaves{0, 3, 5};
  std::vector<std::uint32_t> tree_outputs{0, 0};
  std::vector<std::uint32_t> round_trees{0, 1, 2};
  std::vector<std::uint64_t> nodes{node(1, 0, 1), node(0, 0, 3), leaf(2), leaf(3),
                                   leaf(4),       node(0, 1, 6), leaf(6), leaf(7)};
  std::vector<double> leaf_values{4, 1, 2, 8, 16};
  std::vector<std::uint32_t> leaf_ids{2, 0, 1, 0, 1};
  std::vector<std::uint32_t> tree_bitsets{0, 0, 1};
  std::vector<std::uint32_t> bitset_offsets{0, 1};
  std::vector<std::uint32_t> bitset_words{0b1};
  std::vector<double> linear_constants, linear_coefficients;
  std::vector<std::uint32_t> linear_offsets, linear_features;
  std::vector<float> weights;

  [[nodiscard]] ForestArrays arrays() const {
    return {.header = header,
            .scales = scales,
            .base = base,
            .bias = bias,
            .column_features = column_features,
            .thresholds = thresholds,
            .threshold_offsets = threshold_offsets,
            .keys = keys,
            .key_offsets = key_offsets,
            .key_codes = key_codes,
            .view_columns = view_columns,
            .view_kinds = view_kinds,
            .segment_views = segment_views,
            .segment_trees = segment_trees,
            .tree_roots = tree_roots,
            .tree_leaves = tree_leaves,
            .tree_outputs = tree_outputs,
            .round_trees = round_trees,
            .nodes = nodes,
            .leaf_values = leaf_values,
            .leaf_ids = leaf_ids,
            .tree_bitsets = tree_bitsets,
            .bitset_offsets = bitset_offsets,
            .bitset_words = bitset_words,
            .linear_constants = linear_constants,
            .linear_offsets = linear_offsets,
            .linear_features = linear_features,
            .linear_coefficients = linear_coefficients,
            .weights = weights};
  }
  [[nodiscard]] Forest forest() const { return Forest(arrays()); }

  // The same first tree with linear leaves: x0 + 2 x1 at each, but plain where one is NaN.
  [[nodiscard]] static Arrays linear() {
    Arrays arrays;
    arrays.linear_constants = {0, 0, 0, 0, 0};
    arrays.linear_offsets = {0, 2, 4, 6, 8, 10};
    arrays.linear_features = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
    arrays.linear_coefficients = {1, 2, 1, 2, 1, 2, 1, 2, 1, 2};
    return arrays;
  }
  // One tree of two levels, leaves of two float32 values, a linear model beside it.
  [[nodiscard]] static Arrays oblivious() {
    Arrays arrays;
    arrays.header = {2, 2, 2, 2, 0, 0, 1 + 2 + 16, 1};
    arrays.base = arrays.bias = {0.5, 0.25};
    arrays.segment_trees = arrays.round_trees = {0, 1};
    arrays.tree_roots = {0, 2};
    arrays.tree_leaves = {0, 4};
    arrays.tree_outputs = {0};
    arrays.nodes = {node(1, 0, 0), node(0, 1, 0)};
    arrays.leaf_values = {1, 2, 3, 4, 5, 6, 7, 8};
    arrays.leaf_ids = {0, 1, 2, 3};
    arrays.tree_bitsets = {0, 1};
    arrays.weights = {1, 2, 3, 4};
    return arrays;
  }
};

// Format 1 of the same two trees.
struct OldArrays {
  std::vector<std::uint32_t> header{1, 2, 1, 0, 0};
  std::vector<double> scale{1.0};
  std::vector<double> thresholds{-2.0, 1.5};
  std::vector<std::uint32_t> threshold_offsets{0, 2, 2};
  std::vector<std::uint32_t> categories{3, 7, 40};
  std::vector<std::uint32_t> category_offsets{0, 0, 3};
  std::vector<std::uint32_t> view_features{0, 1};
  std::vector<std::uint8_t> view_kinds{1, 5};
  std::vector<std::uint32_t> tree_roots{0, 5, 8};
  std::vector<std::uint64_t> nodes{node(1, 0, 1), node(0, 0, 3), leaf(2), leaf(3),
                                   leaf(4),       node(0, 1, 6), leaf(6), leaf(7)};
  std::vector<double> values{0, 0, 4, 1, 2, 0, 8, 16};
  std::vector<std::uint32_t> tree_bitsets{0, 0, 1};
  std::vector<std::uint32_t> bitset_offsets{0, 1};
  std::vector<std::uint32_t> bitset_words{0b101};

  [[nodiscard]] Forest forest() const {
    const UpgradedForest upgraded({header, scale, thresholds, threshold_offsets, categories, category_offsets,
                                   view_features, view_kinds, tree_roots, nodes, values, tree_bitsets,
                                   bitset_offsets, bitset_words});
    return Forest(upgraded.arrays());
  }
};

template <class T>
std::vector<double> scores(const Forest& forest, const std::vector<T>& rows) {
  const std::size_t n = rows.size() / forest.n_features();
  std::vector<double> out(n * forest.n_outputs());
  AlignedBuffer<std::byte> scratch(forest.scratch_bytes(n));
  forest.predict(DenseRows<T>{rows.data(), forest.n_features()}, n, forest.default_rounds(), false,
                 out.data(), scratch.data());
  return out;
}

std::vector<std::uint32_t> leaves(const Forest& forest, const std::vector<float>& rows) {
  const std::size_t n = rows.size() / forest.n_features();
  std::vector<std::uint32_t> out(n * forest.n_trees());
  AlignedBuffer<std::byte> scratch(forest.scratch_bytes(n));
  forest.leaf_indices(DenseRows<float>{rows.data(), forest.n_features()}, n, {0, forest.n_rounds()},
                      out.data(), scratch.data());
  return out;
}

void damage(std::mt19937& random, void* bytes, std::size_t size) {
  if (size == 0) return;
  const std::size_t at = random() % size;
  static_cast<unsigned char*>(bytes)[at] =
      static_cast<unsigned char>(random() % 3 == 0 ? random() : random() % 9);
}

}  // namespace

TEST_CASE(rows_reach_their_leaves_in_every_place_of_a_batch) {
  const Forest forest = Arrays().forest();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<double> rows{-2.0,
                                 3,
                                 std::nextafter(-2.0, 0.0),
                                 40.9,
                                 1.5,
                                 7,
                                 std::nextafter(1.5, 2.0),
                                 nan,
                                 nan,
                                 -1,
                                 inf,
                                 1e300,
                                 -inf,
                                 3,
                                 0,
                                 41};
  const std::vector<double> expected{1 + 8, 2 + 8, 2 + 16, 4 + 16, 1 + 16, 4 + 16, 1 + 8, 2 + 16};
  for (std::size_t n = 1; n <= 40; ++n) {
    std::vector<double> batch;
    for (std::size_t i = 0; i < n; ++i) batch.insert(batch.end(), {rows[i * 2 % 16], rows[i * 2 % 16 + 1]});
    const std::vector<double> out = scores(forest, batch);
    for (std::size_t i = 0; i < n; ++i) CHECK_EQ(out[i], expected[i % 8]);
  }
}

TEST_CASE(linear_and_oblivious_trees_score_as_by_hand) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> linear = scores(Arrays::linear().forest(), std::vector<double>{1, 3, nan, 3});
  CHECK_EQ(linear[0], (1.0 + 2 * 3) + (1.0 + 2 * 3));
  CHECK_EQ(linear[1], 1.0 + 8.0);
  // x0 = 2 is right of 1.5: bit 0; 7 is not in the set: bit 1.
  const std::vector<float> rows{2, 7, -3, 40};
  const std::vector<double> sums = scores(Arrays::oblivious().forest(), rows);
  CHECK_EQ(sums[0], 0.5 + 7 + 2 * 1 + 7 * 3 + 0.5);
  CHECK_EQ(sums[1], 0.25 + 8 + 2 * 2 + 7 * 4 + 0.25);
  CHECK_EQ(sums[2], 0.5 + 1 - 3 * 1 + 40 * 3 + 0.5);
  CHECK_EQ(leaves(Arrays::oblivious().forest(), rows)[0], 3u);
}

TEST_CASE(forests_of_format_1_score_as_they_did) {
  const std::vector<double> rows{-2, 3, 1.5, 7, 9, 40};
  const std::vector<double> now = scores(Arrays().forest(), rows);
  const std::vector<double> before = scores(OldArrays().forest(), rows);
  for (std::size_t i = 0; i < now.size(); ++i) CHECK_EQ(before[i], now[i]);
}

template <class Owned, class List>
std::size_t refusals(const Owned& good, const List& list, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::size_t refused = 0;
  for (int round = 0; round < 15000; ++round) {
    Owned arrays = good;
    for (std::size_t times = 1 + random() % 3; times > 0; --times) list(arrays, random);
    try {
      const Forest forest = arrays.forest();
      if (forest.n_features() > 100) continue;  // who loads it holds the names against the number
      std::vector<float> rows(11 * forest.n_features());
      for (float& x : rows) x = static_cast<float>(static_cast<int>(random() % 100) - 50);
      static_cast<void>(scores(forest, rows));
      static_cast<void>(leaves(forest, rows));
    } catch (const Error&) {
      ++refused;
    }
  }
  return refused;
}

TEST_CASE(damaged_arrays_are_refused_or_walked_within_bounds) {
  const auto hit_one = [](Arrays& arrays, std::mt19937& random) {
    ForestArrays spans = arrays.arrays();
    std::size_t n = 0;
    for_each_tensor(spans, [&](const char*, const auto&) { ++n; });
    std::size_t chosen = random() % n;
    for_each_tensor(spans, [&]<class T>(const char*, std::span<const T>& values) {
      if (chosen-- == 0) damage(random, const_cast<T*>(values.data()), values.size_bytes());
    });
  };
  for (const Arrays& arrays : {Arrays(), Arrays::linear(), Arrays::oblivious()}) {
    const std::size_t refused = refusals(arrays, hit_one, 7);
    CHECK(refused > 2000 && refused < 14500);
  }
}

TEST_CASE(damaged_arrays_of_format_1_are_refused_or_walked_within_bounds) {
  const auto hit_one = [](OldArrays& arrays, std::mt19937& random) {
    const auto hit = [&](auto& array) { damage(random, array.data(), array.size() * sizeof(array[0])); };
    switch (random() % 8) {
      case 0:
        return hit(arrays.header);
      case 1:
        return hit(arrays.threshold_offsets);
      case 2:
        return hit(arrays.category_offsets);
      case 3:
        return hit(arrays.view_features);
      case 4:
        return hit(arrays.view_kinds);
      case 5:
        return hit(arrays.tree_roots);
      case 6:
        return hit(arrays.tree_bitsets);
      default:
        return hit(arrays.nodes);
    }
  };
  const std::size_t refused = refusals(OldArrays(), hit_one, 8);
  CHECK(refused > 4000 && refused < 14500);
}

TEST_CASE(a_decision_never_looks_like_a_leaf) {
  Arrays arrays;
  arrays.tree_bitsets = {0, 0, 65536};
  arrays.bitset_offsets.assign(65537, 0);
  arrays.bitset_offsets.back() = 1;
  arrays.nodes[5] = node(65534, 1, 6);
  CHECK_EQ(arrays.forest().n_trees(), 2u);
  arrays.nodes[5] = node(65535, 1, 6);
  CHECK_THROWS(arrays.forest(), Error,
               std::string_view(error.what()).find("node 5 reads a bitset") != std::string_view::npos);
}
