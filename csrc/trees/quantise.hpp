// Rows of numbers to ranks: rank(x) = how many of the column's thresholds are below x, so that a node is
// an integer comparison and still decides exactly as x <= threshold does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "trees/forest_arrays.hpp"
#include "trees/node.hpp"
#include "trees/rows.hpp"

namespace shortlist::trees {

class Quantiser {
 public:
  // The views of one segment. The arrays have passed check_forest().
  Quantiser(const ForestArrays& arrays, std::size_t segment);

  [[nodiscard]] std::size_t n_views() const noexcept { return views_.size(); }

  // ranks: one group of rows after another, each n_views() x kGroupRows. Rows that fill no whole group take
  // the first places of the last one.
  void ranks(const DenseRows<float>& rows, std::size_t n, std::uint16_t* ranks) const noexcept;
  void ranks(const DenseRows<double>& rows, std::size_t n, std::uint16_t* ranks) const noexcept;
  void ranks(const SparseRows<float>& rows, std::size_t n, std::uint16_t* ranks) const noexcept;
  void ranks(const SparseRows<double>& rows, std::size_t n, std::uint16_t* ranks) const noexcept;

 private:
  struct View {
    ViewKind kind;
    std::uint16_t missing_rank;
  };
  struct Column {
    std::uint32_t feature;
    std::uint32_t thresholds;  // where its padded thresholds begin
    std::uint32_t half;        // 2^(levels - 1), 0 where the column has no thresholds
    std::uint32_t first_view, last_view;
    std::uint32_t keys, n_keys;
    std::uint16_t missing_code;
  };

  void add_column(const ForestArrays& arrays, std::uint32_t column, std::uint32_t view);
  void add_thresholds(const ForestArrays& arrays, const std::vector<std::uint32_t>& columns);
  template <class S>
  [[nodiscard]] const S* thresholds() const noexcept;
  template <class S, class T>
  void dense_ranks(const DenseRows<T>& rows, std::size_t n, std::uint16_t* ranks) const noexcept;
  template <class S, class T>
  void sparse_ranks(const SparseRows<T>& rows, std::size_t n, std::uint16_t* ranks) const noexcept;
  template <class S, class T, std::size_t Lanes>
  void column_ranks(const Column& column, const T* first, std::size_t stride,
                    std::uint16_t* ranks) const noexcept;
  [[nodiscard]] std::uint16_t code(const Column& column, ViewKind kind, double x) const noexcept;

  bool float32_input_ = false;
  std::vector<Column> columns_;
  std::vector<View> views_;
  std::vector<double> keys_;
  std::vector<std::uint16_t> key_codes_;
  std::vector<std::uint16_t> absent_ranks_;  // [n_views] of an entry that a sparse row lacks
  // Padded to 2^levels - 1 with +inf, which nothing exceeds; the float copy is rounded down, which keeps
  // x <= threshold as it is for every float x.
  AlignedBuffer<double> thresholds64_;
  AlignedBuffer<float> thresholds32_;
};

}  // namespace shortlist::trees
