// Vectors as 8-bit codes in lists around centroids: what a search scans. One list is a flat index.
//
// A vector x is coded as origin + centroid + residual, after division by its norm under the cosine. The
// residual's codes and the order of bytes are those of kernels/codes.hpp. Every list begins with a new group,
// and has its vectors by descending |residual|, so that a search may leave it early.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/aligned_buffer.hpp"
#include "kernels/codes.hpp"

namespace shortlist::retrieval {

struct CodedLists {
  std::size_t dim = 0;
  std::size_t n_chunks = 0;
  std::size_t n_vectors = 0;
  std::size_t n_lists = 0;

  std::span<const float> origin;          // dim
  std::span<const float> centroids;       // n_lists x dim, from the origin
  std::span<const std::uint32_t> begins;  // n_lists + 1: the first group of each list
  std::span<const std::uint32_t> sizes;   // n_lists: vectors of each list
  std::span<const float> list_radii;      // n_lists: the greatest |residual|
  std::span<const float>
      list_spreads;  // of each list, filled up to whole groups: root mean square of |residual|, by sqrt(dim)
  float greatest_norm = 0;  // of all |origin| + |centroid| + |residual|, or more

  // The centroids as vectors of groups of their own.
  std::span<const std::uint8_t> centroid_codes;
  std::span<const float> centroid_scales;
  std::span<const float> centroid_biases;   // -|centroid|^2 / 2 under l2, else empty
  std::span<const float> centroid_margins;  // a group: the greatest |centroid - coded centroid|

  std::span<const std::uint8_t> codes;
  std::span<const float> scales;
  std::span<const float> biases;        // -|centroid + residual|^2 / 2 under l2, else empty
  std::span<const std::uint32_t> rows;  // of each slot; 0 where a slot fills up
  std::span<const float> radii;         // a group: the greatest |residual|
  std::span<const float> errors;        // a group: the greatest |residual - coded residual|

  [[nodiscard]] std::size_t n_groups() const noexcept { return radii.size(); }
  [[nodiscard]] std::size_t group_bytes() const noexcept { return n_chunks * kChunkBytes; }
  // List l as groups for the kernels: slots count from the first group of all.
  [[nodiscard]] CodedGroups list(std::size_t l) const noexcept {
    return {codes.data(), scales.data(), biases.empty() ? nullptr : biases.data(),
            nullptr,      rows.data(),   begins[l] * kGroupVectors + sizes[l],
            n_chunks};
  }
  [[nodiscard]] CodedGroups centroid_groups() const noexcept {
    return {centroid_codes.data(),
            centroid_scales.data(),
            centroid_biases.empty() ? nullptr : centroid_biases.data(),
            nullptr,
            nullptr,
            n_lists,
            n_chunks};
  }
};

// What CodedLists::greatest_norm is to be.
[[nodiscard]] float greatest_norm_of(const CodedLists& lists) noexcept;

// The memory of coded lists that were built here.
struct OwnedLists {
  AlignedBuffer<float> origin, centroids, list_radii, list_spreads;
  AlignedBuffer<std::uint32_t> begins, sizes, rows;
  AlignedBuffer<std::uint8_t> centroid_codes, codes;
  AlignedBuffer<float> centroid_scales, centroid_biases, centroid_margins, scales, biases, radii, errors;
  CodedLists view;
};

}  // namespace shortlist::retrieval
