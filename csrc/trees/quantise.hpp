// Rows of numbers to ranks: rank(x) = how many of the feature's thresholds are below x, so that a node is
// an integer comparison and still decides exactly as x <= threshold does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "trees/node.hpp"

namespace shortlist::trees {

class Quantiser {
 public:
  Quantiser() = default;
  // Sorted, distinct thresholds and categories a feature (offsets: n_features + 1), and the views, by
  // feature. The caller has checked all of it (forest.cpp).
  Quantiser(std::span<const double> thresholds, std::span<const std::uint32_t> threshold_offsets,
            std::span<const std::uint32_t> categories, std::span<const std::uint32_t> category_offsets,
            std::span<const std::uint32_t> view_features, std::span<const std::uint8_t> view_kinds);

  [[nodiscard]] std::size_t n_views() const noexcept { return views_.size(); }

  // rows: n x stride. ranks: one group after another, each n_views() x kGroupRows. Rows that fill no whole
  // group take the first places of the last one, whose other places are left alone.
  void ranks(const float* rows, std::size_t n, std::size_t stride, std::uint16_t* ranks) const noexcept;
  void ranks(const double* rows, std::size_t n, std::size_t stride, std::uint16_t* ranks) const noexcept;

 private:
  struct View {
    ViewKind kind;
    std::uint16_t missing_rank;
  };
  struct Column {  // a feature that some view reads
    std::uint32_t feature;
    std::uint32_t thresholds;  // where its padded thresholds begin
    std::uint32_t half;        // 2^(levels - 1), 0 where the feature has no thresholds
    std::uint32_t first_view, last_view;
    std::uint32_t categories, n_categories;
  };

  template <class T>
  [[nodiscard]] const T* thresholds() const noexcept;
  template <class T>
  void ranks_of(const T* rows, std::size_t n, std::size_t stride, std::uint16_t* ranks) const noexcept;
  template <class T, std::size_t Lanes>
  void column_ranks(const Column& column, const T* first, std::size_t stride,
                    std::uint16_t* ranks) const noexcept;
  [[nodiscard]] std::uint16_t category_code(const Column& column, double x) const noexcept;

  std::vector<Column> columns_;
  std::vector<View> views_;
  std::vector<std::uint32_t> categories_;
  // Padded to 2^levels - 1 with +inf, which nothing exceeds; the float copy is rounded down, which keeps
  // x <= threshold as it is for every float x.
  AlignedBuffer<double> thresholds64_;
  AlignedBuffer<float> thresholds32_;
};

}  // namespace shortlist::trees
