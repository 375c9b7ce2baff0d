// Random forests by look-ups and bit-sliced, on every instruction set and with and without machine code: the
// scores and leaves of the walk, bit for bit.
#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "check.hpp"
#include "environment.hpp"
#include "every_isa.hpp"
#include "random_forest.hpp"
#include "trees/bitslice/compile.hpp"
#include "trees/forest.hpp"

using namespace shortlist::trees;
using shortlist::AlignedBuffer;

namespace {

using Kinds = ForestShape::Kinds;

constexpr std::size_t kSizes[] = {1, 47, 48, 127, 128, 129, 256, 257, 511, 512, 513, 1000};
constexpr std::size_t kMostRows = 1000;
constexpr auto kFloat32 = static_cast<std::uint32_t>(Flag::float32);
constexpr auto kFloat32Input = static_cast<std::uint32_t>(Flag::float32_input);
constexpr auto kOblivious = static_cast<std::uint32_t>(Flag::oblivious);

// Every way to handle what is missing, in columns of one view and of several.
std::vector<Kinds> numeric() {
  using enum ViewKind;
  return {{none},
          {nan_left},
          {nan_right},
          {zero_left},
          {zero_right},
          {none, nan_right, zero_left},
          {nan_left, zero_left, zero_right}};
}
std::vector<Kinds> with_sets() {
  using enum ViewKind;
  return {{nan_left}, {category}, {category_24}, {zero_right}, {value}, {hashed}};
}

Forest forest_of(const ForestArrays& arrays, const BitsliceVectors& sliced, const char* kernel,
                 const char* jit) {
  const Variable forced("SHORTLIST_TREE_KERNEL", kernel);
  const Variable switched("SHORTLIST_JIT", jit);
  Forest forest(arrays, arrays_of(sliced));
  CHECK_EQ(forest.kernels().substr(0, std::strlen(kernel)), std::string(kernel));
  return forest;
}

struct Results {
  std::vector<double> wide;
  std::vector<float> narrow;
  std::vector<std::uint32_t> leaves;

  [[nodiscard]] bool same_bits(const Results& other) const {
    const auto same = [](const auto& a, const auto& b) {
      return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof a[0]) == 0;
    };
    return same(wide, other.wide) && same(narrow, other.narrow) && same(leaves, other.leaves);
  }
};

// All rounds, and those but the first and the last.
template <class Rows>
Results results(const Forest& forest, const Rows& rows, std::size_t n) {
  const std::uint32_t last = forest.n_rounds();
  const Rounds inner = last > 2 ? Rounds{1, last - 1} : Rounds{0, last};
  Results made{std::vector<double>(n * forest.n_outputs()), std::vector<float>(n * forest.n_outputs()),
               std::vector<std::uint32_t>(n * forest.n_trees())};
  AlignedBuffer<std::byte> scratch(forest.scratch_bytes(n));
  std::fill_n(scratch.data(), scratch.size(), std::byte{0xa5});
  forest.predict(rows, n, {0, last}, true, made.wide.data(), scratch.data());
  forest.predict(rows, n, inner, true, made.narrow.data(), scratch.data());
  forest.leaf_indices(rows, n, {0, last}, made.leaves.data(), scratch.data());
  return made;
}

// Some three in five of the numbers of a matrix.
template <class T>
struct Sparse {
  Sparse(const std::vector<T>& dense, std::size_t n_features) {
    for (std::size_t i = 0; i < dense.size(); ++i) {
      const std::size_t row = i / n_features, feature = i % n_features;
      if (feature == 0) offsets.push_back(static_cast<std::int64_t>(numbers.size()));
      if ((row * 7 + feature * 3) % 5 < 2) continue;
      features.push_back(static_cast<std::int32_t>(feature));
      numbers.push_back(dense[i]);
    }
    offsets.push_back(static_cast<std::int64_t>(numbers.size()));
  }
  [[nodiscard]] SparseRows<T> rows(double absent) const {
    return {offsets.data(), features.data(), numbers.data(), static_cast<T>(absent)};
  }
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> features;
  std::vector<T> numbers;
};

template <class T>
void expect_same(const Forest& walked, const Forest& sliced, const std::vector<double>& numbers) {
  const std::vector<T> dense(numbers.begin(), numbers.end());
  const Sparse<T> sparse(dense, walked.n_features());
  for (const std::size_t n : kSizes) {
    const DenseRows<T> rows{dense.data(), walked.n_features()};
    CHECK(results(sliced, rows, n).same_bits(results(walked, rows, n)));
    const SparseRows<T> listed = sparse.rows(walked.absent());
    CHECK(results(sliced, listed, n).same_bits(results(walked, listed, n)));
  }
}

// looks_up: the shape has a form for look-ups.
void expect_the_walk(const ForestShape& shape, std::uint32_t seed, bool looks_up = true) {
  RandomForest random(shape, seed);
  const std::vector<double> numbers = random.rows(kMostRows);
  const BitsliceVectors sliced = compile_bitslice(random.arrays());
  CHECK(!sliced.predicate_offsets.empty());
  on_every_isa([&] {
    const Forest walked = forest_of(random.arrays(), {}, "walk", nullptr);
    if (looks_up) {
      const Forest forest = forest_of(random.arrays(), {}, "lookup", nullptr);
      expect_same<float>(walked, forest, numbers);
      expect_same<double>(walked, forest, numbers);
    }
    for (const char* jit : {"0", "1"}) {
      const Forest forest = forest_of(random.arrays(), sliced, "bitslice", jit);
      expect_same<float>(walked, forest, numbers);
      expect_same<double>(walked, forest, numbers);
    }
  });
}

}  // namespace

TEST_CASE(every_kind_of_numeric_view_sends_rows_where_the_walk_does) {
  expect_the_walk({.features = numeric()}, 1);
  expect_the_walk({.features = numeric(), .n_outputs = 3, .flags = kFloat32Input}, 2);
  expect_the_walk({.features = numeric(), .n_thresholds = 1}, 3);
}

TEST_CASE(sets_of_few_and_of_many_categories_send_rows_where_the_walk_does) {
  expect_the_walk({.features = with_sets()}, 4);
  expect_the_walk({.features = with_sets(), .n_keys = 1, .flags = kFloat32Input}, 5);
  expect_the_walk({.features = with_sets(), .n_keys = 300, .n_leaves = {9, 40, 3}}, 6);
}

TEST_CASE(columns_of_more_thresholds_than_a_byte_counts_send_rows_where_the_walk_does) {
  for (const std::size_t n : {254u, 255u, 256u, 3000u}) {
    expect_the_walk({.features = numeric(), .n_thresholds = n, .n_leaves = {60}}, 7);
  }
}

TEST_CASE(trees_of_one_leaf_and_of_whole_powers_of_two_reach_the_leaves_of_the_walk) {
  expect_the_walk({.features = numeric(), .n_leaves = {1}}, 8);
  expect_the_walk({.features = numeric(), .n_leaves = {1, 2, 3, 4, 5, 8, 9, 16, 17, 32, 33}}, 9);
  expect_the_walk({.features = with_sets(), .n_leaves = {64, 65, 128, 256, 257, 512, 1024}}, 10);
}

TEST_CASE(the_largest_trees_that_have_programs_reach_the_leaves_of_the_walk) {
  expect_the_walk(
      {.features = numeric(), .n_thresholds = 2000, .n_leaves = {4096, 2049}, .trees_of_segment = 4}, 11);
  const RandomForest larger({.features = numeric(), .n_leaves = {3, 4097}, .trees_of_segment = 2}, 12);
  CHECK(compile_bitslice(larger.arrays()).predicate_offsets.empty());
}

TEST_CASE(several_outputs_vectors_and_linear_models_at_leaves_add_up_as_in_the_walk) {
  expect_the_walk({.features = with_sets(), .n_outputs = 5}, 13);
  expect_the_walk({.features = with_sets(), .n_outputs = 3, .vector_leaves = true}, 14);
  expect_the_walk({.features = with_sets(), .n_outputs = 2, .linear_leaves = true}, 15);
  expect_the_walk({.features = numeric(), .n_outputs = 3, .vector_leaves = true, .flags = kFloat32}, 16);
}

TEST_CASE(float32_sums_are_those_of_the_walk) {
  expect_the_walk({.features = with_sets(), .n_leaves = {1, 5, 31, 300}, .flags = kFloat32}, 17);
  expect_the_walk({.features = numeric(), .n_outputs = 2, .flags = kFloat32 | kFloat32Input}, 18);
}

TEST_CASE(oblivious_trees_reach_the_leaves_of_the_walk) {
  const std::vector<std::size_t> n_leaves{1, 2, 8, 64, 256, 512, 4096};
  expect_the_walk({.features = with_sets(), .n_leaves = n_leaves, .flags = kOblivious}, 19, false);
  expect_the_walk({.features = numeric(),
                   .n_leaves = n_leaves,
                   .n_outputs = 2,
                   .vector_leaves = true,
                   .flags = kOblivious | kFloat32},
                  20, false);
  const std::vector<std::size_t> of_eight_levels{1, 2, 8, 64, 256};
  expect_the_walk({.features = with_sets(), .n_leaves = of_eight_levels, .flags = kOblivious}, 23);
  expect_the_walk({.features = numeric(),
                   .n_leaves = of_eight_levels,
                   .n_outputs = 2,
                   .vector_leaves = true,
                   .flags = kOblivious | kFloat32},
                  24);
}

TEST_CASE(segments_have_predicates_and_programs_of_their_own) {
  expect_the_walk({.features = with_sets(), .trees_of_segment = 3, .n_segments = 4}, 21);
  expect_the_walk({.features = numeric(),
                   .n_leaves = {2, 8},
                   .trees_of_segment = 5,
                   .n_segments = 3,
                   .flags = kOblivious},
                  22);
}
