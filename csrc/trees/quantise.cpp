#include "trees/quantise.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace shortlist::trees {
namespace {

// LightGBM's kZeroThreshold: the float nearest to 1e-35.
constexpr double kZeroThreshold = 1e-35f;

float rounded_down(double x) {
  const auto nearest = static_cast<float>(x);
  const bool above = static_cast<double>(nearest) > x;
  return above ? std::nextafterf(nearest, -std::numeric_limits<float>::infinity()) : nearest;
}

// How many of the 2 * half - 1 sorted thresholds are below each x; 0 for NaN.
template <class T, std::size_t Lanes>
void search(const T* thresholds, std::uint32_t half, const T* x, std::uint32_t* position) noexcept {
  for (std::size_t lane = 0; lane < Lanes; ++lane) position[lane] = 0;
  for (std::uint32_t step = half; step != 0; step /= 2) {
    const T* probe = thresholds + step - 1;
#pragma GCC unroll 8
    for (std::size_t lane = 0; lane < Lanes; ++lane) {
      position[lane] += step & (0u - static_cast<std::uint32_t>(probe[position[lane]] < x[lane]));
    }
  }
}

}  // namespace

Quantiser::Quantiser(std::span<const double> thresholds, std::span<const std::uint32_t> threshold_offsets,
                     std::span<const std::uint32_t> categories,
                     std::span<const std::uint32_t> category_offsets,
                     std::span<const std::uint32_t> view_features, std::span<const std::uint8_t> view_kinds)
    : categories_(categories.begin(), categories.end()) {
  std::size_t padded = 0;
  for (std::uint32_t v = 0; v < view_features.size(); ++v) {
    const std::uint32_t feature = view_features[v];
    if (columns_.empty() || columns_.back().feature != feature) {
      const std::uint32_t n = threshold_offsets[feature + 1] - threshold_offsets[feature];
      const std::uint32_t size = n == 0 ? 0 : std::bit_ceil(n + 1);
      const std::uint32_t first = category_offsets[feature];
      columns_.push_back({feature, static_cast<std::uint32_t>(padded), size / 2, v, v, first,
                          category_offsets[feature + 1] - first});
      padded += size;
    }
    columns_.back().last_view = v + 1;
  }

  thresholds64_ = AlignedBuffer<double>(padded);
  thresholds32_ = AlignedBuffer<float>(padded);
  std::fill_n(thresholds64_.data(), padded, std::numeric_limits<double>::infinity());
  for (const Column& column : columns_) {
    const std::uint32_t begin = threshold_offsets[column.feature];
    const std::uint32_t end = threshold_offsets[column.feature + 1];
    std::copy(thresholds.data() + begin, thresholds.data() + end, thresholds64_.data() + column.thresholds);
  }
  std::transform(thresholds64_.data(), thresholds64_.data() + padded, thresholds32_.data(), rounded_down);

  views_.resize(view_features.size());
  for (const Column& column : columns_) {
    const double zero = 0.0;
    std::uint32_t rank_of_zero = 0;
    search<double, 1>(thresholds64_.data() + column.thresholds, column.half, &zero, &rank_of_zero);
    for (std::uint32_t v = column.first_view; v < column.last_view; ++v) {
      const auto kind = static_cast<ViewKind>(view_kinds[v]);
      std::uint16_t missing = 0;
      if (kind == ViewKind::none) missing = static_cast<std::uint16_t>(rank_of_zero);
      if (kind == ViewKind::nan_right || kind == ViewKind::zero_right) missing = kMissingRight;
      views_[v] = {kind, missing};
    }
  }
}

template <>
const float* Quantiser::thresholds<float>() const noexcept {
  return thresholds32_.data();
}
template <>
const double* Quantiser::thresholds<double>() const noexcept {
  return thresholds64_.data();
}

// Truncated towards zero as LightGBM does: -0.5 is category 0.
std::uint16_t Quantiser::category_code(const Column& column, double x) const noexcept {
  const auto unknown = static_cast<std::uint16_t>(column.n_categories);
  if (!(x > -1.0 && x < 2147483648.0)) return unknown;
  const auto category = static_cast<std::uint32_t>(static_cast<std::int64_t>(x));
  const std::uint32_t* begin = categories_.data() + column.categories;
  const std::uint32_t* end = begin + column.n_categories;
  const std::uint32_t* found = std::lower_bound(begin, end, category);
  return found != end && *found == category ? static_cast<std::uint16_t>(found - begin) : unknown;
}

template <class T, std::size_t Lanes>
void Quantiser::column_ranks(const Column& column, const T* first, std::size_t stride,
                             std::uint16_t* ranks) const noexcept {
  T x[Lanes];
  std::uint32_t position[Lanes];
  std::uint16_t nan[Lanes];   // all bits where x is NaN
  std::uint16_t zero[Lanes];  // all bits where x is NaN or counts as zero
  for (std::size_t lane = 0; lane < Lanes; ++lane) x[lane] = first[lane * stride];
  search<T, Lanes>(thresholds<T>() + column.thresholds, column.half, x, position);
  for (std::size_t lane = 0; lane < Lanes; ++lane) {
    nan[lane] = static_cast<std::uint16_t>(x[lane] != x[lane] ? 0xffff : 0);
    zero[lane] =
        static_cast<std::uint16_t>(!(std::fabs(x[lane]) > static_cast<T>(kZeroThreshold)) ? 0xffff : 0);
  }
  for (std::uint32_t v = column.first_view; v < column.last_view; ++v) {
    const View view = views_[v];
    std::uint16_t* out = ranks + v * kGroupRows;
    if (view.kind == ViewKind::category) {
      for (std::size_t lane = 0; lane < Lanes; ++lane)
        out[lane] = category_code(column, static_cast<double>(x[lane]));
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

template <class T>
void Quantiser::ranks_of(const T* rows, std::size_t n, std::size_t stride,
                         std::uint16_t* ranks) const noexcept {
  const std::size_t group = n_views() * kGroupRows;
  for (const Column& column : columns_) {
    std::size_t row = 0;
    for (; row + kGroupRows <= n; row += kGroupRows) {
      column_ranks<T, kGroupRows>(column, rows + row * stride + column.feature, stride,
                                  ranks + row / kGroupRows * group);
    }
    for (; row < n; ++row) {
      column_ranks<T, 1>(column, rows + row * stride + column.feature, stride,
                         ranks + row / kGroupRows * group + row % kGroupRows);
    }
  }
}

void Quantiser::ranks(const float* rows, std::size_t n, std::size_t stride,
                      std::uint16_t* ranks) const noexcept {
  ranks_of(rows, n, stride, ranks);
}
void Quantiser::ranks(const double* rows, std::size_t n, std::size_t stride,
                      std::uint16_t* ranks) const noexcept {
  ranks_of(rows, n, stride, ranks);
}

}  // namespace shortlist::trees
