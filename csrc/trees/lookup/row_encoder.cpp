#include "trees/lookup/row_encoder.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "trees/node.hpp"
#include "trees/thresholds.hpp"

namespace shortlist::trees {
namespace {

// Thresholds that a byte tells apart: none of them up to all, and one more for what is missing and goes
// right.
constexpr std::uint32_t kByteThresholds = 254;

std::uint32_t bytes_of(std::uint32_t n_thresholds) {
  return n_thresholds == 0 ? 1 : (n_thresholds - 1) / kByteThresholds + 1;
}

std::uint32_t n_thresholds(const ForestArrays& arrays, std::uint32_t column) {
  return arrays.threshold_offsets[column + 1] - arrays.threshold_offsets[column];
}

}  // namespace

RowEncoder::RowEncoder(const ForestArrays& arrays, std::size_t segment)
    : float32_input_((arrays.header[static_cast<std::size_t>(Header::flags)] &
                      static_cast<std::uint32_t>(Flag::float32_input)) != 0),
      kernels_(&active_kernels().lookup) {
  const std::uint32_t begin = arrays.segment_views[segment], end = arrays.segment_views[segment + 1];
  std::size_t n_bytes = 0, n_sets = 0;
  for (std::uint32_t v = begin; v < end; ++v) {
    if (asks_for_set(static_cast<ViewKind>(arrays.view_kinds[v]))) {
      ++n_sets;
    } else {
      n_bytes += bytes_of(n_thresholds(arrays, arrays.view_columns[v]));
    }
  }
  fits_ = n_bytes <= kRowBytes && n_sets <= kMaxRowSets;
  if (!fits_) return;
  for (auto* array : {&bytes_.column, &bytes_.missing, &bytes_.missing_rank, &bytes_.base})
    array->assign((n_bytes + kRowStep - 1) / kRowStep * kRowStep, 0);
  std::vector<std::uint32_t> columns;
  for (std::uint32_t v = begin; v < end; ++v) {
    const std::uint32_t column = arrays.view_columns[v];
    const bool set = asks_for_set(static_cast<ViewKind>(arrays.view_kinds[v]));
    if (!set && (columns.empty() || columns.back() != column)) {
      columns.push_back(column);
      features_.push_back(arrays.column_features[column]);
    }
    add_view(arrays, v);
  }
  add_thresholds(arrays, columns);
  const std::uint32_t n_features = arrays.header[static_cast<std::size_t>(Header::n_features)];
  n_own_ = static_cast<std::size_t>(std::lower_bound(features_.begin(), features_.end(), n_features) -
                                    features_.begin());
}

void RowEncoder::add_view(const ForestArrays& arrays, std::uint32_t view) {
  const std::uint32_t column = arrays.view_columns[view];
  const auto kind = static_cast<ViewKind>(arrays.view_kinds[view]);
  if (asks_for_set(kind)) {
    place_of_view_.push_back(static_cast<std::uint32_t>(sets_.size()));
    const std::size_t first = arrays.key_offsets[column];
    const std::size_t n = arrays.key_offsets[column + 1] - first;
    sets_.push_back({arrays.column_features[column],
                     CategoryCodes(kind, arrays.keys.subspan(first, n), arrays.key_codes.subspan(first, n))});
    return;
  }
  place_of_view_.push_back(static_cast<std::uint32_t>(n_bytes_));
  const std::uint32_t n = n_thresholds(arrays, column);
  const bool zero = kind == ViewKind::zero_left || kind == ViewKind::zero_right;
  std::uint32_t missing_rank = 0;
  if (kind == ViewKind::nan_right || kind == ViewKind::zero_right) missing_rank = kMissingRight;
  if (kind == ViewKind::none) {  // the rank of 0
    const auto first = arrays.thresholds.begin() + arrays.threshold_offsets[column];
    missing_rank = static_cast<std::uint32_t>(std::lower_bound(first, first + n, 0.0) - first);
  }
  for (std::uint32_t byte = 0; byte < bytes_of(n); ++byte, ++n_bytes_) {
    bytes_.column[n_bytes_] = static_cast<std::uint32_t>(features_.size() - 1);
    bytes_.missing[n_bytes_] = zero ? kMissingZero : kMissingNan;
    bytes_.missing_rank[n_bytes_] = missing_rank;
    bytes_.base[n_bytes_] = byte * kByteThresholds;
  }
}

void RowEncoder::add_thresholds(const ForestArrays& arrays, const std::vector<std::uint32_t>& columns) {
  std::size_t n_pages = 0;
  for (const std::uint32_t column : columns) n_pages += n_thresholds(arrays, column) / kPageThresholds + 1;
  const std::size_t size = n_pages * (kPageNumbers + 1);  // the tops behind the pages
  thresholds64_.numbers = AlignedBuffer<double>(size);
  thresholds32_.numbers = AlignedBuffer<float>(size);
  std::fill_n(thresholds64_.numbers.data(), size, std::numeric_limits<double>::infinity());
  double* page = thresholds64_.numbers.data();
  double* top = page + n_pages * kPageNumbers;
  for (const std::uint32_t column : columns) {
    const double* const first = arrays.thresholds.data() + arrays.threshold_offsets[column];
    const std::size_t n = n_thresholds(arrays, column);
    const std::size_t pages = n / kPageThresholds + 1;
    const std::size_t at = static_cast<std::size_t>(page - thresholds64_.numbers.data());
    const std::size_t top_at = static_cast<std::size_t>(top - thresholds64_.numbers.data());
    thresholds64_.columns.push_back({top, page, static_cast<std::uint32_t>(pages)});
    thresholds32_.columns.push_back({thresholds32_.numbers.data() + top_at, thresholds32_.numbers.data() + at,
                                     static_cast<std::uint32_t>(pages)});
    for (std::size_t p = 0; p < pages; ++p, page += kPageNumbers, ++top) {
      const std::size_t begin = p * kPageThresholds, end = std::min(n, begin + kPageThresholds);
      double* const sorted = page + 16;
      std::copy(first + begin, first + end, sorted);
      for (std::size_t i = 0; i < 16; ++i) page[i] = sorted[16 * i + 15];
      *top = sorted[kPageThresholds - 1];
    }
  }
  std::transform(thresholds64_.numbers.data(), thresholds64_.numbers.data() + size,
                 thresholds32_.numbers.data(), rounded_down);
}

RowEncoder::Comparison RowEncoder::comparison(std::uint32_t view, std::uint32_t rank) const noexcept {
  return {static_cast<std::uint8_t>(place_of_view_[view] + rank / kByteThresholds),
          static_cast<std::uint8_t>(rank % kByteThresholds)};
}

template <class S>
RowTables<S> RowEncoder::tables(const Thresholds<S>& thresholds) const noexcept {
  return {thresholds.columns.data(),
          thresholds.columns.size(),
          bytes_.column.data(),
          bytes_.missing.data(),
          bytes_.missing_rank.data(),
          bytes_.base.data(),
          n_bytes_};
}

// numbers: one for each of features_.
void RowEncoder::write_bytes(const float* numbers, std::uint8_t* bytes) const noexcept {
  kernels_->encode32(numbers, tables(thresholds32_), bytes);
}
void RowEncoder::write_bytes(const double* numbers, std::uint8_t* bytes) const noexcept {
  kernels_->encode64(numbers, tables(thresholds64_), bytes);
}

template <class S, class T>
void RowEncoder::encode_dense(const DenseRows<T>& rows, const DenseRows<float>& derived, std::size_t row,
                              EncodedRow& out) const noexcept {
  const T* const own = rows.row(row);
  S numbers[kRowBytes];
  for (std::size_t i = 0; i < n_own_; ++i) numbers[i] = static_cast<S>(own[features_[i]]);
  for (std::size_t i = n_own_; i < features_.size(); ++i)
    numbers[i] = static_cast<S>(derived.at(row, features_[i] - rows.stride));
  write_bytes(numbers, out.bytes);
  for (std::size_t i = 0; i < sets_.size(); ++i) {
    const Set& set = sets_[i];
    if (set.feature < rows.stride) {
      set.codes.codes(own + set.feature, 1, std::is_same_v<S, float>, out.codes + i);
    } else {
      const float number = derived.at(row, set.feature - rows.stride);
      set.codes.codes(&number, 1, true, out.codes + i);
    }
  }
}

// Features ascend, and so do a row's entries.
template <class S, class T>
void RowEncoder::encode_sparse(const SparseRows<T>& rows, std::size_t row, EncodedRow& out) const noexcept {
  S numbers[kRowBytes];
  std::fill_n(numbers, features_.size(), static_cast<S>(rows.absent));
  auto feature = features_.begin();
  rows.each_entry(row, [&](std::size_t entry, T number) {
    feature = std::lower_bound(feature, features_.end(), entry);
    if (feature != features_.end() && *feature == entry)
      numbers[feature - features_.begin()] = static_cast<S>(number);
  });
  write_bytes(numbers, out.bytes);
  for (std::size_t i = 0; i < sets_.size(); ++i) {
    const T number = rows.at(row, sets_[i].feature);
    sets_[i].codes.codes(&number, 1, std::is_same_v<S, float>, out.codes + i);
  }
}

void RowEncoder::encode(const DenseRows<float>& rows, const DenseRows<float>& derived, std::size_t row,
                        EncodedRow& out) const noexcept {
  encode_dense<float>(rows, derived, row, out);
}
void RowEncoder::encode(const DenseRows<double>& rows, const DenseRows<float>& derived, std::size_t row,
                        EncodedRow& out) const noexcept {
  if (float32_input_) {
    encode_dense<float>(rows, derived, row, out);
  } else {
    encode_dense<double>(rows, derived, row, out);
  }
}
void RowEncoder::encode(const SparseRows<float>& rows, std::size_t row, EncodedRow& out) const noexcept {
  encode_sparse<float>(rows, row, out);
}
void RowEncoder::encode(const SparseRows<double>& rows, std::size_t row, EncodedRow& out) const noexcept {
  if (float32_input_) {
    encode_sparse<float>(rows, row, out);
  } else {
    encode_sparse<double>(rows, row, out);
  }
}

}  // namespace shortlist::trees
