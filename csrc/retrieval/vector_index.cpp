#include "retrieval/vector_index.hpp"

#include <algorithm>
#include <bit>

#include "base/bitmap.hpp"
#include "retrieval/survivor_pool.hpp"

namespace shortlist::retrieval {
namespace {

// What a row costs in float32 and out of order, in vectors scored by their codes in order.
constexpr std::size_t kRowCost = 10;

}  // namespace

VectorIndex::VectorIndex(const FlatIndex& vectors, const CodedLists& lists)
    : vectors_(vectors), lists_(lists), search_(vectors, lists) {}

std::size_t VectorIndex::count_of(const AllowedRows& allowed) const noexcept {
  if (allowed.count) return *allowed.count;
  return active_code_kernels().count_bits(allowed.words, bitmap_words(vectors_.size()));
}

// To find as many candidates where only some rows count, a walk looks at more vectors, as their share falls.
bool VectorIndex::prefers_rows(std::size_t n, const SearchPlan& plan) const noexcept {
  const auto size = static_cast<double>(vectors_.size());
  const auto passing = static_cast<double>(n);
  const double typical = plan.effort == SearchPlan::kExact
                             ? size
                             : static_cast<double>(std::max(plan.n_typical, plan.n_candidates));
  const double walked = std::min(size, typical * size / std::max(passing, 1.0));
  return passing * static_cast<double>(kRowCost) <= walked;
}

std::span<Hit> VectorIndex::search_rows(const Query& query, std::size_t k, std::span<std::uint32_t> rows,
                                        Arena& arena) const {
  constexpr std::size_t kTogether = 1024;
  k = std::min(k, rows.size());
  if (k == 0) return {};
  const std::span<float> scores = arena.array<float>(kTogether);
  BestK best(k, kTogether, arena);
  for (std::size_t first = 0; first < rows.size(); first += kTogether) {
    const std::span<std::uint32_t> some = rows.subspan(first, std::min(kTogether, rows.size() - first));
    vectors_.scores(query, some, scores.data());
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (scores[i] >= best.floor()) best.offer(scores[i], some[i]);
    }
    best.shrink();
  }
  const std::span<const std::uint64_t> keys = best.sorted();
  const std::span<Hit> hits = arena.array<Hit>(keys.size());
  std::transform(keys.begin(), keys.end(), hits.begin(), hit_of);
  return hits;
}

std::span<Hit> VectorIndex::search(const Query& query, const SearchPlan& plan, const AllowedRows& allowed,
                                   Arena& arena, SearchCounts& counts) const {
  if (allowed.words != nullptr) {
    const std::size_t n = count_of(allowed);
    if (prefers_rows(n, plan)) {
      const std::span<std::uint32_t> rows = arena.array<std::uint32_t>(n);
      const std::size_t n_words = bitmap_words(vectors_.size());
      std::size_t found = 0;
      for (std::size_t i = 0; i < n_words; ++i) {
        for (std::uint64_t word = allowed.words[i]; word != 0 && found < n; word &= word - 1)
          rows[found++] =
              static_cast<std::uint32_t>(i * 64) + static_cast<std::uint32_t>(std::countr_zero(word));
      }
      counts.n_reranked += found;
      return search_rows(query, plan.k, rows.first(found), arena);
    }
  }
  if (plan.effort == SearchPlan::kExact) return search_.exact(query, plan.k, allowed.words, arena, counts);
  return search_.approximate(query, {plan.k, plan.effort, plan.n_candidates, plan.rerank}, allowed.words,
                             arena, counts);
}

}  // namespace shortlist::retrieval
