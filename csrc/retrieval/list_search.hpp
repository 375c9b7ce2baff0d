// Search of coded lists: approximate by effort, or proven exact by bounds on every error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/arena.hpp"
#include "retrieval/coded_lists.hpp"
#include "retrieval/flat_index.hpp"

namespace shortlist::retrieval {

struct ApproximateOptions {
  std::size_t k = 1;
  // A list is skipped where its centroid's score plus effort standard deviations of its residuals' scores
  // does not reach the worst candidate: 2 finds most, 6 nearly all.
  float effort = 3.0f;
  std::size_t n_candidates = 1;  // at least k: kept by their codes, and scored in float32 where rerank is on
  bool rerank = true;            // off, scores are those of the codes
};

// What a search looked at.
struct SearchCounts {
  std::size_t n_lists = 0;
  std::size_t n_vectors = 0;   // scored by their codes
  std::size_t n_reranked = 0;  // scored in float32
};

class ListSearch {
 public:
  // Both must outlive the search.
  ListSearch(const FlatIndex& vectors, const CodedLists& lists);

  // The best k by descending score, ties by the lower row; fewer where fewer rows are `allowed`, a bitmap of
  // rows or null for all. The hits live in the arena. Throw only std::bad_alloc.
  [[nodiscard]] std::span<Hit> approximate(const Query& query, const ApproximateOptions& options,
                                           const std::uint64_t* allowed, Arena& arena,
                                           SearchCounts& counts) const;
  // What FlatIndex::search returns, bit for bit.
  [[nodiscard]] std::span<Hit> exact(const Query& query, std::size_t k, const std::uint64_t* allowed,
                                     Arena& arena, SearchCounts& counts) const;

 private:
  // A query in the space of the codes: divided by its norm under the cosine, from the origin under l2.
  //
  // Searches compare what grows with the score: <query, x>, and <query, x> - |x|^2 / 2 under l2.
  struct Prepared {
    const float* vector;
    float norm;        // |vector|; not too small where `bounded`
    float base;        // <vector, origin>, 0 under l2
    float code_error;  // |vector - coded vector|, where `bounded`
    float rounding;    // more than all that float32 loses, here and in the true score, where `bounded`
    CodedQuery code;
  };
  class Order;
  class ExactPass;

  [[nodiscard]] Prepared prepare(const Query& query, bool bounded, Arena& arena) const;
  // Whether products of the query with vectors stay far from the limits of float32.
  [[nodiscard]] bool in_range(const Query& query, const Prepared& prepared) const noexcept;
  [[nodiscard]] float list_base(const Prepared& query, std::size_t list) const noexcept;
  [[nodiscard]] std::span<float> expected_bounds(const Prepared& query, float effort, Arena& arena) const;
  [[nodiscard]] std::span<float> certain_bounds(const Prepared& query, Arena& arena) const;
  [[nodiscard]] ScanOptions scan_options(float base, const std::uint64_t* allowed,
                                         std::size_t next_list) const noexcept;

  const FlatIndex& vectors_;
  const CodedLists& lists_;
  const KernelTable& kernels_;
  const CodeKernels& codes_;
  float greatest_length_ = 0.0f;  // of a vector as it is, under the cosine
};

}  // namespace shortlist::retrieval
