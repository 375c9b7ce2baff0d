// From vectors to coded lists: k-means on a sample, each vector to its nearest centroid, residuals to codes.
//
// Lloyd's algorithm with assignments by 8-bit codes. The result does not depend on threads or instruction
// sets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "retrieval/coded_lists.hpp"
#include "retrieval/flat_index.hpp"

namespace shortlist::retrieval {

class ListBuilder {
 public:
  // `vectors` must outlive the builder; 1 <= n_lists <= its size, or 1 where it is empty. The sample for the
  // training has points_per_list vectors a list, or all there are.
  // Throws invalid_argument for more than kMaxCodedDim dimensions.
  ListBuilder(const FlatIndex& vectors, std::size_t n_lists, std::size_t points_per_list, std::uint64_t seed,
              std::size_t n_threads);

  [[nodiscard]] std::size_t n_lists() const noexcept { return n_lists_; }
  // One iteration of k-means over the sample; nothing where there is one list.
  void train();
  // Finds the nearest centroids of rows [first, last).
  void assign(std::size_t first, std::size_t last);
  // The lists, once every row is assigned.
  [[nodiscard]] OwnedLists finish() const;

 private:
  struct CodedCentroids {
    AlignedBuffer<std::uint8_t> codes;
    AlignedBuffer<float> scales, biases, margins;
  };
  // Row, divided by its norm under the cosine, from the origin.
  void centred(std::size_t row, float* out) const noexcept;
  [[nodiscard]] CodedCentroids code_centroids() const;
  void nearest(const float* vectors, std::size_t n, const CodedCentroids& centroids,
               std::uint32_t* lists) const;
  void move_centroids(std::span<const std::uint32_t> lists);
  void fill_list(std::size_t list, std::span<const std::uint32_t> rows, OwnedLists& out) const;
  void view(OwnedLists& lists) const noexcept;

  const FlatIndex& vectors_;
  std::size_t dim_, n_chunks_, n_lists_, n_threads_;
  std::uint64_t seed_;
  std::size_t n_sample_ = 0;
  AlignedBuffer<float> origin_, centroids_, sample_;
  AlignedBuffer<std::uint32_t> lists_;  // of each row
  CodedCentroids coded_;                // of the assignment
  bool coded_is_current_ = false;
};

}  // namespace shortlist::retrieval
