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
  [[nodiscard]] std::size_t n_bytes() const noexcept { return slots_.size(); }
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
  // A byte: how far the rank is above `base`, at most 255.
  struct Slot {
    std::uint32_t column;   // of features_
    std::uint32_t missing;  // kNaN or kZero: what counts as missing
    std::uint32_t missing_rank;
    std::uint32_t base;
  };
  static constexpr std::uint32_t kNaN = 1u << 16, kZero = 1u << 17;  // beside the rank of a column

  template <class S>
  struct Tables {
    AlignedBuffer<S> numbers;
    std::vector<ThresholdPages<S>> columns;
  };

  void add_view(const ForestArrays& arrays, std::uint32_t view);
  void add_tables(const ForestArrays& arrays, const std::vector<std::uint32_t>& columns);
  template <class S>
  void write_bytes(const S* numbers, std::uint8_t* bytes) const noexcept;
  template <class S, class T>
  void encode_dense(const DenseRows<T>& rows, const DenseRows<float>& derived, std::size_t row,
                    EncodedRow& out) const noexcept;
  template <class S, class T>
  void encode_sparse(const SparseRows<T>& rows, std::size_t row, EncodedRow& out) const noexcept;

  bool fits_ = false;
  bool float32_input_ = false;
  const LookupKernels* kernels_;
  std::vector<std::uint32_t> features_;  // of the columns of thresholds, ascending
  std::vector<Slot> slots_;              // the bytes
  std::vector<Set> sets_;
  std::vector<std::uint32_t> place_of_view_;  // its first byte, or its place in sets_
  Tables<float> tables32_;
  Tables<double> tables64_;
};

}  // namespace shortlist::trees
