#include "trees/quantise.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>

#include "trees/category_key.hpp"
#include "trees/thresholds.hpp"

namespace shortlist::trees {
namespace {

// How many of the 2 * half - 1 sorted thresholds are below each x; 0 for NaN.
template <class S, std::size_t Lanes>
void search(const S* thresholds, std::uint32_t half, const S* x, std::uint32_t* position) noexcept {
  for (std::size_t lane = 0; lane < Lanes; ++lane) position[lane] = 0;
  for (std::uint32_t step = half; step != 0; step /= 2) {
    const S* probe = thresholds + step - 1;
#pragma GCC unroll 8
    for (std::size_t lane = 0; lane < Lanes; ++lane) {
      position[lane] += step & (0u - static_cast<std::uint32_t>(probe[position[lane]] < x[lane]));
    }
  }
}

}  // namespace

Quantiser::Quantiser(const ForestArrays& arrays, std::size_t segment)
    : float32_input_((arrays.header[static_cast<std::size_t>(Header::flags)] &
                      static_cast<std::uint32_t>(Flag::float32_input)) != 0) {
  const std::uint32_t begin = arrays.segment_views[segment];
  const std::uint32_t end = arrays.segment_views[segment + 1];
  std::vector<std::uint32_t> columns;
  for (std::uint32_t view = begin; view < end; ++view) {
    const std::uint32_t column = arrays.view_columns[view];
    if (columns.empty() || columns.back() != column) {
      columns.push_back(column);
      add_column(arrays, column, view - begin);
    }
    columns_.back().last_view = view - begin + 1;
  }
  add_thresholds(arrays, columns);

  views_.resize(end - begin);
  for (const Column& column : columns_) {
    const double zero = 0.0;
    std::uint32_t rank_of_zero = 0;
    search<double, 1>(thresholds64_.data() + column.thresholds, column.half, &zero, &rank_of_zero);
    for (std::uint32_t v = column.first_view; v < column.last_view; ++v) {
      const auto kind = static_cast<ViewKind>(arrays.view_kinds[begin + v]);
      std::uint16_t missing = 0;
      if (kind == ViewKind::none) missing = static_cast<std::uint16_t>(rank_of_zero);
      if (kind == ViewKind::nan_right || kind == ViewKind::zero_right) missing = kMissingRight;
      if (asks_for_set(kind)) missing = column.missing_code;
      views_[v] = {kind, missing};
    }
  }

  absent_ranks_.resize(views_.size());
  const double absent = arrays.scales[2];
  std::vector<std::uint16_t> group(views_.size() * kGroupRows);
  for (const Column& column : columns_) column_ranks<double, double, 1>(column, &absent, 0, group.data());
  for (std::size_t v = 0; v < views_.size(); ++v) absent_ranks_[v] = group[v * kGroupRows];
}

void Quantiser::add_column(const ForestArrays& arrays, std::uint32_t column, std::uint32_t view) {
  const std::uint32_t first = arrays.key_offsets[column];
  const std::uint32_t last = arrays.key_offsets[column + 1];
  const auto begin = static_cast<std::uint32_t>(keys_.size());
  keys_.insert(keys_.end(), arrays.keys.begin() + first, arrays.keys.begin() + last);
  std::uint32_t n_codes = 0;
  for (std::uint32_t i = first; i < last; ++i) {
    n_codes = std::max<std::uint32_t>(n_codes, arrays.key_codes[i] + 1u);
    key_codes_.push_back(arrays.key_codes[i]);
  }
  columns_.push_back({.feature = arrays.column_features[column],
                      .thresholds = 0,
                      .half = 0,
                      .first_view = view,
                      .last_view = view,
                      .keys = begin,
                      .n_keys = last - first,
                      .missing_code = static_cast<std::uint16_t>(n_codes)});
}

void Quantiser::add_thresholds(const ForestArrays& arrays, const std::vector<std::uint32_t>& columns) {
  std::size_t padded = 0;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::uint32_t n = arrays.threshold_offsets[columns[i] + 1] - arrays.threshold_offsets[columns[i]];
    const std::uint32_t size = n == 0 ? 0 : std::bit_ceil(n + 1);
    columns_[i].thresholds = static_cast<std::uint32_t>(padded);
    columns_[i].half = size / 2;
    padded += size;
  }
  thresholds64_ = AlignedBuffer<double>(padded);
  thresholds32_ = AlignedBuffer<float>(padded);
  std::fill_n(thresholds64_.data(), padded, std::numeric_limits<double>::infinity());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const double* first = arrays.thresholds.data() + arrays.threshold_offsets[columns[i]];
    const double* last = arrays.thresholds.data() + arrays.threshold_offsets[columns[i] + 1];
    std::copy(first, last, thresholds64_.data() + columns_[i].thresholds);
  }
  std::transform(thresholds64_.data(), thresholds64_.data() + padded, thresholds32_.data(), rounded_down);
}

template <>
const float* Quantiser::thresholds<float>() const noexcept {
  return thresholds32_.data();
}
template <>
const double* Quantiser::thresholds<double>() const noexcept {
  return thresholds64_.data();
}

std::uint16_t Quantiser::code(const Column& column, ViewKind kind, double x) const noexcept {
  if (x != x) return column.missing_code;
  const std::optional<double> key = key_of(kind, x);
  if (key) {
    const double* begin = keys_.data() + column.keys;
    const double* end = begin + column.n_keys;
    const double* found = std::lower_bound(begin, end, *key);
    if (found != end && *found == *key) return key_codes_[static_cast<std::size_t>(found - keys_.data())];
  }
  return static_cast<std::uint16_t>(column.missing_code + 1);
}

// Ranks of Lanes rows (first[lane * stride]), in the views of one column; S is the width that compares.
template <class S, class T, std::size_t Lanes>
void Quantiser::column_ranks(const Column& column, const T* first, std::size_t stride,
                             std::uint16_t* ranks) const noexcept {
  S x[Lanes];
  std::uint32_t position[Lanes];
  std::uint16_t nan[Lanes];   // all bits where x is NaN
  std::uint16_t zero[Lanes];  // all bits where x is NaN or counts as zero
  for (std::size_t lane = 0; lane < Lanes; ++lane) x[lane] = static_cast<S>(first[lane * stride]);
  search<S, Lanes>(thresholds<S>() + column.thresholds, column.half, x, position);
  for (std::size_t lane = 0; lane < Lanes; ++lane) {
    nan[lane] = static_cast<std::uint16_t>(x[lane] != x[lane] ? 0xffff : 0);
    zero[lane] =
        static_cast<std::uint16_t>(!(std::fabs(x[lane]) > static_cast<S>(kZeroThreshold)) ? 0xffff : 0);
  }
  for (std::uint32_t v = column.first_view; v < column.last_view; ++v) {
    const View view = views_[v];
    std::uint16_t* out = ranks + v * kGroupRows;
    if (asks_for_set(view.kind)) {
      for (std::size_t lane = 0; lane < Lanes; ++lane) {
        // A hash does not fit a float; everything else is read as nodes compare it.
        const double number = view.kind == ViewKind::hashed ? static_cast<double>(first[lane * stride])
                                                            : static_cast<double>(x[lane]);
        out[lane] = code(column, view.kind, number);
      }
      continue;
    }
    const bool zero_is_missing = view.kind == ViewKind::zero_left || view.kind == ViewKind::zero_right;
    const std::uint16_t* missing = zero_is_missing ? zero : nan;
    for (std::size_t lane = 0; lane < Lanes; ++lane) {
      out[lane] =
          static_cast<std::uint16_t>((position[lane] & ~missing[lane]) | (view.missing_rank & missing[lane]));
    }
  }
}

template <class S, class T>
void Quantiser::dense_column_ranks(const Column& column, const T* numbers, std::size_t stride, std::size_t n,
                                   std::uint16_t* ranks) const noexcept {
  const std::size_t group = n_views() * kGroupRows;
  std::size_t row = 0;
  for (; row + kGroupRows <= n; row += kGroupRows)
    column_ranks<S, T, kGroupRows>(column, numbers + row * stride, stride, ranks + row / kGroupRows * group);
  for (; row < n; ++row) {
    column_ranks<S, T, 1>(column, numbers + row * stride, stride,
                          ranks + row / kGroupRows * group + row % kGroupRows);
  }
}

template <class S, class T>
void Quantiser::dense_ranks(const DenseRows<T>& rows, const DenseRows<float>& derived, std::size_t n,
                            std::uint16_t* ranks) const noexcept {
  for (const Column& column : columns_) {
    if (column.feature < rows.stride) {
      dense_column_ranks<S>(column, rows.numbers + column.feature, rows.stride, n, ranks);
    } else {
      const float* const numbers = derived.numbers + (column.feature - rows.stride);
      dense_column_ranks<float>(column, numbers, derived.stride, n, ranks);
    }
  }
}

// Columns ascend by feature, and so do a row's entries.
template <class S, class T>
void Quantiser::sparse_ranks(const SparseRows<T>& rows, std::size_t n, std::uint16_t* ranks) const noexcept {
  const std::size_t group_ranks = n_views() * kGroupRows;
  for (std::size_t group = 0; group * kGroupRows < n; ++group) {
    std::uint16_t* const first = ranks + group * group_ranks;
    for (std::size_t v = 0; v < n_views(); ++v)
      std::fill_n(first + v * kGroupRows, kGroupRows, absent_ranks_[v]);
    for (std::size_t row = group * kGroupRows; row < std::min(n, (group + 1) * kGroupRows); ++row) {
      auto column = columns_.begin();
      for (std::int64_t i = rows.offsets[row]; i < rows.offsets[row + 1]; ++i) {
        const auto feature = static_cast<std::uint32_t>(rows.features[i]);
        column = std::lower_bound(column, columns_.end(), feature,
                                  [](const Column& c, std::uint32_t f) { return c.feature < f; });
        for (; column != columns_.end() && column->feature == feature; ++column)
          column_ranks<S, T, 1>(*column, rows.numbers + i, 0, first + row % kGroupRows);
      }
    }
  }
}

void Quantiser::ranks(const DenseRows<float>& rows, const DenseRows<float>& derived, std::size_t n,
                      std::uint16_t* ranks) const noexcept {
  dense_ranks<float>(rows, derived, n, ranks);
}
void Quantiser::ranks(const DenseRows<double>& rows, const DenseRows<float>& derived, std::size_t n,
                      std::uint16_t* ranks) const noexcept {
  if (float32_input_) {
    dense_ranks<float>(rows, derived, n, ranks);
  } else {
    dense_ranks<double>(rows, derived, n, ranks);
  }
}
void Quantiser::ranks(const SparseRows<float>& rows, std::size_t n, std::uint16_t* ranks) const noexcept {
  sparse_ranks<float>(rows, n, ranks);
}
void Quantiser::ranks(const SparseRows<double>& rows, std::size_t n, std::uint16_t* ranks) const noexcept {
  if (float32_input_) {
    sparse_ranks<float>(rows, n, ranks);
  } else {
    sparse_ranks<double>(rows, n, ranks);
  }
}

}  // namespace shortlist::trees
