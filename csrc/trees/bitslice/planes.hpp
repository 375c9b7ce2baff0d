// Blocks of rows to bit planes of their ranks, one bit a row: what bit-sliced trees compute on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "kernels/kernels.hpp"
#include "trees/bitslice/codes.hpp"
#include "trees/forest_arrays.hpp"
#include "trees/rows.hpp"

namespace shortlist::trees {

inline constexpr std::uint32_t kNoPlane = 0xffffffff;

// Which vectors of a block hold a column. A column of thresholds: planes of the rank before any view's rule
// for what is missing, 0 for NaN, `nan` always, `zero` where a view asks for it. A column of categories:
// planes of the code that its view gives, missing and unknown included, and no masks.
struct ColumnPlanes {
  std::uint32_t first = 0;  // plane 0, the lowest bit
  std::uint32_t count = 0;
  std::uint32_t nan = kNoPlane;   // x != x
  std::uint32_t zero = kNoPlane;  // x != x or |x| <= 1e-35f
};

class PlaneEncoder {
 public:
  // The columns that the segment's views have. The arrays have passed check_forest().
  PlaneEncoder(const ForestArrays& arrays, std::size_t segment,
               const PlaneKernels& kernels = active_kernels().planes);

  // Vectors of a block: all planes and masks.
  [[nodiscard]] std::size_t n_vectors() const noexcept { return n_vectors_; }
  // A column of ForestArrays; without planes where no view of the segment has it.
  [[nodiscard]] ColumnPlanes planes_of(std::size_t column) const noexcept;

  // Writes n_vectors() vectors of vector_bytes, kNarrowVectorBytes or kWideVectorBytes (kernels/logic.hpp), to
  // `vectors`, which is aligned to 64 bytes; row r is bit r % 8 of byte r / 8. 1 <= n <= 8 * vector_bytes; bits
  // from n on have no meaning, but a value.
  // derived: n x the number of derived features, which only dense rows can have.
  void encode(const DenseRows<float>& rows, const DenseRows<float>& derived, std::size_t n,
              std::size_t vector_bytes, std::byte* vectors) const noexcept;
  void encode(const DenseRows<double>& rows, const DenseRows<float>& derived, std::size_t n,
              std::size_t vector_bytes, std::byte* vectors) const noexcept;
  void encode(const SparseRows<float>& rows, std::size_t n, std::size_t vector_bytes,
              std::byte* vectors) const noexcept;
  void encode(const SparseRows<double>& rows, std::size_t n, std::size_t vector_bytes,
              std::byte* vectors) const noexcept;
};

}  // namespace shortlist::trees
