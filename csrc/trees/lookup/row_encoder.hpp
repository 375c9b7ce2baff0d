// A row to the bytes that blocks of trees compare: for each view its rank, in as many bytes as its thresholds
// take.
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

inline constexpr std::size_t kMaxRowSets = 32;

// A row in a segment's bytes. Codes of the views of sets, in the order of the views.
struct EncodedRow {
  alignas(kAlignment) std::uint8_t bytes[kRowBytes];
  std::uint16_t codes[kMaxRowSets];
};

class RowEncoder {
 public:
  // The arrays have passed check_forest().
  RowEncoder(const ForestArrays& arrays, std::size_t segment);

  // Whether the segment's views fit kRowBytes and kMaxRowSets; nothing else may be asked where they do not.
  [[nodiscard]] bool fits() const noexcept { return fits_; }
  [[nodiscard]] std::size_t n_bytes() const noexcept { return n_bytes_; }
  [[nodiscard]] std::size_t n_sets() const noexcept { return sets_.size(); }
  // Codes that a view of sets can give.
  [[nodiscard]] std::size_t n_codes(std::size_t set) const noexcept {
    return sets_[set].codes.unknown() + 1u;
  }

  // Where a row's rank in a view of thresholds is above `rank`, its byte `column` is above `limit`.
  struct Comparison {
    std::uint8_t column, limit;
  };
  [[nodiscard]] Comparison comparison(std::uint32_t view, std::uint32_t rank) const noexcept;
  // Which of the views of sets a view of the segment is.
  [[nodiscard]] std::size_t set_of(std::uint32_t view) const noexcept { return place_of_view_[view]; }

  // Row `row` of the rows; derived: as Quantiser::ranks takes it.
  void encode(const DenseRows<float>& rows, const DenseRows<float>& derived, std::size_t row,
              EncodedRow& out) const noexcept;
  void encode(const DenseRows<double>& rows, const DenseRows<float>& derived, std::size_t row,
              EncodedRow& out) const noexcept;
  void encode(const SparseRows<float>& rows, std::size_t row, EncodedRow& out) const noexcept;
  void encode(const SparseRows<double>& rows, std::size_t row, EncodedRow& out) const noexcept;

 private:
  struct Set {
    std::uint32_t feature;
    CategoryCodes codes;
  };
  template <class S>
  struct Thresholds {
    AlignedBuffer<S> numbers;
    std::vector<ThresholdPages<S>> columns;
  };
  // What RowTables has of each byte.
  struct Bytes {
    std::vector<std::uint32_t> column, missing, missing_rank, base;
  };

  void add_view(const ForestArrays& arrays, std::uint32_t view);
  void add_thresholds(const ForestArrays& arrays, const std::vector<std::uint32_t>& columns);
  void write_bytes(const float* numbers, std::uint8_t* bytes) const noexcept;
  void write_bytes(const double* numbers, std::uint8_t* bytes) const noexcept;
  template <class S>
  [[nodiscard]] RowTables<S> tables(const Thresholds<S>& thresholds) const noexcept;
  template <class S, class T>
  void encode_dense(const DenseRows<T>& rows, const DenseRows<float>& derived, std::size_t row,
                    EncodedRow& out) const noexcept;
  template <class S, class T>
  void encode_sparse(const SparseRows<T>& rows, std::size_t row, EncodedRow& out) const noexcept;

  bool fits_ = false;
  bool float32_input_ = false;
  const LookupKernels* kernels_;
  std::vector<std::uint32_t> features_;  // of the columns of thresholds, ascending
  std::size_t n_own_ = 0;                // of these, that rows have; the others are derived
  std::size_t n_bytes_ = 0;
  Bytes bytes_;
  std::vector<Set> sets_;
  std::vector<std::uint32_t> place_of_view_;  // its first byte, or its place in sets_
  Thresholds<float> thresholds32_;
  Thresholds<double> thresholds64_;
};

}  // namespace shortlist::trees
