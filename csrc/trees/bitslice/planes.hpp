// Blocks of rows to bit planes of their ranks, one bit a row: what bit-sliced trees compute on.
#pragma once

#include <cstddef>
#include <cstdint>
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

  // Writes n_vectors() vectors of vector_bytes, kNarrowVectorBytes or kWideVectorBytes (kernels/logic.hpp),
  // to `vectors`, which needs no alignment; row r is bit r % 8 of byte r / 8. 1 <= n <= 8 * vector_bytes;
  // bits from n on have no meaning, but a value. derived: n x the number of derived features, which only
  // dense rows can have.
  void encode(const DenseRows<float>& rows, const DenseRows<float>& derived, std::size_t n,
              std::size_t vector_bytes, std::byte* vectors) const noexcept;
  void encode(const DenseRows<double>& rows, const DenseRows<float>& derived, std::size_t n,
              std::size_t vector_bytes, std::byte* vectors) const noexcept;
  void encode(const SparseRows<float>& rows, std::size_t n, std::size_t vector_bytes,
              std::byte* vectors) const noexcept;
  void encode(const SparseRows<double>& rows, std::size_t n, std::size_t vector_bytes,
              std::byte* vectors) const noexcept;

 private:
  struct Column {
    std::uint32_t column;  // of ForestArrays
    std::uint32_t feature;
    ColumnPlanes planes;
    std::size_t tree, sorted;   // where its thresholds lie in tables32_ and tables64_
    std::uint32_t codes;        // of codes_, or kNoCodes
    std::uint16_t absent_rank;  // of an entry that a sparse row lacks
  };
  static constexpr std::uint32_t kNoCodes = 0xffffffff;
  // Neighbouring features that are transposed together.
  struct Group {
    std::uint32_t first_feature;
    std::uint32_t n_features;  // at most kPlaneColumns
    std::uint32_t first_column, last_column;
  };
  struct Block;  // of kPlaneRows rows

  void add_columns(const ForestArrays& arrays, std::size_t segment);
  void add_tables(const ForestArrays& arrays);
  void add_groups();
  template <class S>
  [[nodiscard]] RankTables<S> tables(const Column& column) const noexcept;
  template <class S, class T>
  void encode_column(const Column& column, const T* numbers, const Block& block) const noexcept;
  void encode_absent(const Column& column, const Block& block) const noexcept;
  template <class S, class T>
  void encode_group(const Group& group, const DenseRows<T>& rows, std::uint32_t first_feature,
                    const Block& block) const noexcept;
  template <class S, class T>
  void encode_dense(const DenseRows<T>& rows, const DenseRows<float>& derived, std::size_t n,
                    std::size_t vector_bytes, std::byte* vectors) const noexcept;
  template <class S, class T>
  void encode_sparse(const SparseRows<T>& rows, const Block& block) const noexcept;

  const PlaneKernels* kernels_;
  bool float32_input_ = false;
  std::uint32_t n_features_ = 0;  // of a row; features from here on are derived
  std::uint32_t n_vectors_ = 0;
  double absent_ = 0.0;
  std::vector<Column> columns_;
  std::vector<Group> groups_;
  std::vector<CategoryCodes> codes_;
  AlignedBuffer<float> tables32_;
  AlignedBuffer<double> tables64_;
};

}  // namespace shortlist::trees
