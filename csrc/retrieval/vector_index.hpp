// Vectors with their coded lists, and the choice of how a query is answered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "retrieval/list_search.hpp"

namespace shortlist::retrieval {

// What a search is to return, and at what effort.
struct SearchPlan {
  static constexpr float kExact = std::numeric_limits<float>::infinity();

  std::size_t k = 1;
  float effort = kExact;  // of ApproximateOptions; kExact for the proven best
  std::size_t n_candidates = 1;
  bool rerank = true;
  // How many vectors such a search scores by their codes where all rows are allowed, on average.
  std::size_t n_typical = 0;
};

// The rows that may be found.
struct AllowedRows {
  const std::uint64_t* words = nullptr;  // a bitmap, or null for all rows
  std::optional<std::size_t> count;      // how many bits are set, where it is known
};

class VectorIndex {
 public:
  // Both must outlive the index.
  VectorIndex(const FlatIndex& vectors, const CodedLists& lists);

  [[nodiscard]] const FlatIndex& vectors() const noexcept { return vectors_; }
  [[nodiscard]] const CodedLists& lists() const noexcept { return lists_; }

  // The best rows by descending score, ties by the lower row. The hits live in the arena.
  // Throws only std::bad_alloc.
  [[nodiscard]] std::span<Hit> search(const Query& query, const SearchPlan& plan, const AllowedRows& allowed,
                                      Arena& arena, SearchCounts& counts) const;

 private:
  [[nodiscard]] std::size_t count_of(const AllowedRows& allowed) const noexcept;
  // Whether scoring each of `n` rows in float32 is less work than a search with the others left out.
  [[nodiscard]] bool prefers_rows(std::size_t n, const SearchPlan& plan) const noexcept;
  [[nodiscard]] std::span<Hit> search_rows(const Query& query, std::size_t k, std::span<std::uint32_t> rows,
                                           Arena& arena) const;

  const FlatIndex& vectors_;
  const CodedLists& lists_;
  ListSearch search_;
};

}  // namespace shortlist::retrieval
