// Search of coded lists: exact to the bit, within its memory, and the same from many threads.
#include "retrieval/list_search.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <thread>
#include <tuple>
#include <vector>

#include "check.hpp"
#include "guarded.hpp"
#include "retrieval/list_builder.hpp"
#include "retrieval/vector_index.hpp"

using namespace shortlist;
using namespace shortlist::retrieval;

namespace {

// Vectors around a few centres, of uneven norms; the array ends where memory does.
struct World {
  std::size_t n, dim;
  Guarded<float> vectors;
  std::vector<float> norms;
  bool is_filled;
  FlatIndex flat;
  OwnedLists lists;
  VectorIndex index;

  World(std::size_t size, std::size_t dims, Metric metric, std::size_t n_lists, float scale)
      : n(size),
        dim(dims),
        vectors(size * dims),
        norms(metric == Metric::cosine ? size : 0),
        is_filled(fill(scale)),
        flat(make_flat(metric)),
        lists(build(n_lists)),
        index(flat, lists.view) {}

 private:
  [[nodiscard]] bool fill(float scale) const {
    std::mt19937 random(5);
    std::normal_distribution<float> normal;
    std::vector<float> centres(7 * dim);
    for (float& value : centres) value = 3.0f * normal(random);
    for (std::size_t i = 0; i < n; ++i) {
      const float norm = i % 11 == 0 ? 0.0f : scale * std::exp(normal(random));
      for (std::size_t j = 0; j < dim; ++j)
        vectors[i * dim + j] = norm * (centres[i % 7 * dim + j] + normal(random));
    }
    return true;
  }
  FlatIndex make_flat(Metric metric) {
    if (metric == Metric::cosine) inverse_norms(vectors.span(), n, dim, norms.data());
    return {vectors.span(), n, dim, metric, norms};
  }
  OwnedLists build(std::size_t n_lists) {
    ListBuilder builder(flat, n_lists, 40, 1, 1);
    for (int i = 0; i < 3; ++i) builder.train();
    builder.assign(0, n / 2);
    builder.assign(n / 2, n);
    return builder.finish();
  }
};

std::vector<float> query_of(std::size_t dim, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> query(dim);
  for (float& value : query) value = seed == 0 ? 0.0f : normal(random);
  return query;
}

bool same(std::span<const Hit> a, std::span<const Hit> b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].row != b[i].row ||
        std::bit_cast<std::uint32_t>(a[i].score) != std::bit_cast<std::uint32_t>(b[i].score))
      return false;
  }
  return true;
}

}  // namespace

TEST_CASE(exact_searches_are_a_plain_scan_bit_for_bit) {
  for (const Metric metric : {Metric::ip, Metric::cosine, Metric::l2}) {
    for (const auto& [n, dim, n_lists] : {std::tuple{1, 1, 1}, {5, 3, 2}, {400, 17, 1}, {1500, 33, 24}}) {
      for (const float scale : {1.0f, 1e-20f, 1e18f, 1e25f, 3e35f}) {
        const World world(n, dim, metric, n_lists, scale);
        std::vector<std::uint64_t> allowed((world.n + 63) / 64, 0x5A5A5A5A5A5A5A5Au);
        if (world.n % 64 != 0) allowed.back() &= (std::uint64_t{1} << (world.n % 64)) - 1;
        for (std::uint32_t seed = 0; seed < 4; ++seed) {
          const std::vector<float> vector = query_of(world.dim, seed);
          const Query query = world.flat.prepare(vector.data());
          for (const std::size_t k : {std::size_t{1}, std::size_t{20}, world.n}) {
            for (const std::uint64_t* const words : {static_cast<const std::uint64_t*>(nullptr),
                                                     static_cast<const std::uint64_t*>(allowed.data())}) {
              Arena arena, plain;
              SearchCounts counts;
              const auto found =
                  world.index.search(query, {k, SearchPlan::kExact, k, true, 0}, {words, {}}, arena, counts);
              CHECK(same(found, world.flat.search(query, k, words, plain)));
            }
          }
        }
      }
    }
  }
}

TEST_CASE(more_effort_finds_no_less_and_all_of_it_nearly_everything) {
  const World world(3000, 24, Metric::ip, 40, 1.0f);
  double before = 0.0;
  for (const float effort : {0.0f, 2.0f, 6.0f, 1000.0f}) {
    double shares = 0.0;
    for (std::uint32_t seed = 1; seed <= 30; ++seed) {
      const std::vector<float> vector = query_of(world.dim, seed);
      const Query query = world.flat.prepare(vector.data());
      Arena arena, plain;
      SearchCounts counts;
      const auto found = world.index.search(query, {50, effort, 80, true, 3000}, {}, arena, counts);
      const auto expected = world.flat.search(query, 50, nullptr, plain);
      CHECK_EQ(found.size(), 50u);
      for (const Hit& hit : found) {
        for (const Hit& other : expected) shares += hit.row == other.row ? 1.0 / 50 / 30 : 0.0;
      }
      if (effort == 1000.0f) CHECK_EQ(counts.n_vectors, 3000u);
    }
    CHECK(shares >= before - 1e-9);
    before = shares;
  }
  CHECK(before > 0.999);
}

TEST_CASE(searches_on_many_threads_do_not_disturb_each_other) {
  const World world(2000, 16, Metric::l2, 32, 1.0f);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&world, &wrong, t] {
      Arena arena, plain;
      for (std::uint32_t seed = 1; seed < 20; ++seed) {
        arena.reset();
        plain.reset();
        const std::vector<float> vector = query_of(world.dim, seed);
        const Query query = world.flat.prepare(vector.data());
        SearchCounts counts;
        const auto found =
            world.index.search(query, {10, SearchPlan::kExact, 10, true, 0}, {}, arena, counts);
        wrong[t] += same(found, world.flat.search(query, 10, nullptr, plain)) ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : wrong) CHECK_EQ(count, 0);
}

TEST_CASE(lists_do_not_depend_on_the_number_of_threads) {
  const World world(1500, 9, Metric::ip, 16, 1.0f);
  ListBuilder builder(world.flat, 16, 40, 1, 3);
  for (int i = 0; i < 3; ++i) builder.train();
  builder.assign(0, world.n);
  const OwnedLists lists = builder.finish();
  CHECK(std::equal(lists.codes.span().begin(), lists.codes.span().end(), world.lists.codes.span().begin()));
  CHECK(std::equal(lists.rows.span().begin(), lists.rows.span().end(), world.lists.rows.span().begin()));
}
