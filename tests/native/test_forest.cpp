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

using shortlist::Error;
using shortlist::trees::Forest;
using shortlist::trees::ForestArrays;

namespace {

constexpr std::uint64_t node(std::uint64_t rank, std::uint64_t view, std::uint64_t left) {
  return rank | view << 16 | left << 32;
}
constexpr std::uint64_t leaf(std::uint64_t at) { return node(65535, 0, at); }

// Tree 0: x0 <= 1.5 ? (x0 <= -2 ? 1 : 2) : 4, NaN left. Tree 1: x1 in {3, 40} ? 8 : 16.
struct Arrays {
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
    return Forest(ForestArrays{header, scale, thresholds, threshold_offsets, categories, category_offsets,
                               view_features, view_kinds, tree_roots, nodes, values, tree_bitsets,
                               bitset_offsets, bitset_words});
  }
};

template <class T>
std::vector<double> scores(const Forest& forest, const std::vector<T>& rows) {
  const std::size_t n = rows.size() / forest.n_features();
  std::vector<double> out(n * forest.n_outputs());
  std::vector<std::byte> scratch(forest.scratch_bytes(n));
  forest.predict(rows.data(), n, false, out.data(), scratch.data());
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

TEST_CASE(damaged_arrays_are_refused_or_walked_within_bounds) {
  std::mt19937 random(7);
  std::size_t refused = 0;
  for (int round = 0; round < 40000; ++round) {
    Arrays arrays;
    const auto hit = [&](auto& array) { damage(random, array.data(), array.size() * sizeof(array[0])); };
    for (std::size_t times = 1 + random() % 3; times > 0; --times) {
      switch (random() % 12) {
        case 0:
          hit(arrays.header);
          break;
        case 1:
          hit(arrays.thresholds);
          break;
        case 2:
          hit(arrays.threshold_offsets);
          break;
        case 3:
          hit(arrays.categories);
          break;
        case 4:
          hit(arrays.category_offsets);
          break;
        case 5:
          hit(arrays.view_features);
          break;
        case 6:
          hit(arrays.view_kinds);
          break;
        case 7:
          hit(arrays.tree_roots);
          break;
        case 8:
          hit(arrays.values);
          break;
        case 9:
          hit(arrays.tree_bitsets);
          break;
        case 10:
          hit(arrays.bitset_offsets);
          break;
        default:
          hit(arrays.nodes);
          break;
      }
    }
    try {
      const Forest forest = arrays.forest();
      std::vector<float> rows(11 * forest.n_features());
      for (float& x : rows) x = static_cast<float>(static_cast<int>(random() % 100) - 50);
      static_cast<void>(scores(forest, rows));
    } catch (const Error&) {
      ++refused;
    }
  }
  CHECK(refused > 10000 && refused < 39000);
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
