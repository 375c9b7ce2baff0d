#include "trees/bitslice/planes.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <type_traits>

#include "kernels/logic.hpp"
#include "trees/thresholds.hpp"

namespace shortlist::trees {
namespace {

constexpr std::size_t kPlaneBytes = kPlaneRows / 8;
// Unused features between two columns that it pays to transpose too.
constexpr std::uint32_t kMaxGap = 3;

constexpr std::size_t whole_registers(std::size_t n) { return (n + 15) / 16 * 16; }

// The first levels of a balanced tree over 2^n_levels - 1 sorted thresholds, as RankTables::tree has them.
void fill_tree(const double* sorted, std::uint32_t n_levels, double* tree) {
  for (std::uint32_t level = 0; level < std::min(n_levels, kTreeLevels); ++level) {
    for (std::uint32_t place = 0; place < 1u << level; ++place) {
      std::uint32_t rank = 0;
      for (std::uint32_t m = 0; m < level; ++m) rank |= (place >> m & 1u) << (n_levels - 1 - m);
      tree[tree_offset(level) + place] = sorted[rank + (1u << (n_levels - 1 - level)) - 1];
    }
  }
}

bool asks_for_zero(ViewKind kind) { return kind == ViewKind::zero_left || kind == ViewKind::zero_right; }

}  // namespace

// Where a block of kPlaneRows rows, of which n are there, puts its part of each vector.
struct PlaneEncoder::Block {
  std::size_t n;
  std::size_t vector_bytes;
  std::byte* vectors;

  [[nodiscard]] std::byte* vector(std::uint32_t i) const noexcept { return vectors + i * vector_bytes; }
  [[nodiscard]] std::byte* mask(std::uint32_t i) const noexcept {
    return i == kNoPlane ? nullptr : vector(i);
  }
};

PlaneEncoder::PlaneEncoder(const ForestArrays& arrays, std::size_t segment, const PlaneKernels& kernels)
    : kernels_(&kernels),
      float32_input_((arrays.header[static_cast<std::size_t>(Header::flags)] &
                      static_cast<std::uint32_t>(Flag::float32_input)) != 0),
      n_features_(arrays.header[static_cast<std::size_t>(Header::n_features)]),
      absent_(arrays.scales[2]) {
  add_columns(arrays, segment);
  add_tables(arrays);
  add_groups();
}

void PlaneEncoder::add_columns(const ForestArrays& arrays, std::size_t segment) {
  for (std::uint32_t v = arrays.segment_views[segment]; v < arrays.segment_views[segment + 1]; ++v) {
    const std::uint32_t column = arrays.view_columns[v];
    const auto kind = static_cast<ViewKind>(arrays.view_kinds[v]);
    if (columns_.empty() || columns_.back().column != column) {
      Column added{.column = column,
                   .feature = arrays.column_features[column],
                   .planes = {.first = n_vectors_},
                   .tree = 0,
                   .sorted = 0,
                   .codes = kNoCodes,
                   .absent_rank = 0};
      if (asks_for_set(kind)) {
        const std::size_t first = arrays.key_offsets[column];
        const std::size_t n = arrays.key_offsets[column + 1] - first;
        added.codes = static_cast<std::uint32_t>(codes_.size());
        codes_.emplace_back(kind, arrays.keys.subspan(first, n), arrays.key_codes.subspan(first, n));
        added.planes.count = std::bit_width(unsigned{codes_.back().unknown()});
      } else {
        const std::uint32_t n = arrays.threshold_offsets[column + 1] - arrays.threshold_offsets[column];
        added.planes.count = std::bit_width(n);
        added.planes.nan = n_vectors_ + added.planes.count;
      }
      n_vectors_ += added.planes.count + (asks_for_set(kind) ? 0 : 1);
      columns_.push_back(added);
    }
    ColumnPlanes& planes = columns_.back().planes;
    if (asks_for_zero(kind) && planes.zero == kNoPlane) planes.zero = n_vectors_++;
  }
}

void PlaneEncoder::add_tables(const ForestArrays& arrays) {
  std::size_t size = 0;
  for (Column& column : columns_) {
    if (column.codes != kNoCodes) continue;
    column.tree = size;
    size += tree_offset(std::min(column.planes.count, kTreeLevels));
    column.sorted = size;
    size += whole_registers(std::size_t{1} << column.planes.count);
  }
  tables32_ = AlignedBuffer<float>(size);
  tables64_ = AlignedBuffer<double>(size);
  std::fill_n(tables64_.data(), size, std::numeric_limits<double>::infinity());
  const double absent = absent_;
  for (Column& column : columns_) {
    if (column.codes != kNoCodes) {
      column.absent_rank = codes_[column.codes].code(absent);
      continue;
    }
    double* const sorted = tables64_.data() + column.sorted;
    const double* const first = arrays.thresholds.data() + arrays.threshold_offsets[column.column];
    const double* const last = arrays.thresholds.data() + arrays.threshold_offsets[column.column + 1];
    std::copy(first, last, sorted);
    fill_tree(sorted, column.planes.count, tables64_.data() + column.tree);
    const auto below = std::count_if(first, last, [absent](double threshold) { return threshold < absent; });
    column.absent_rank = static_cast<std::uint16_t>(below);
  }
  std::transform(tables64_.data(), tables64_.data() + size, tables32_.data(), rounded_down);
}

void PlaneEncoder::add_groups() {
  for (std::uint32_t i = 0; i < columns_.size(); ++i) {
    const std::uint32_t feature = columns_[i].feature;
    if (!groups_.empty()) {
      Group& group = groups_.back();
      const std::uint32_t width = feature - group.first_feature + 1;
      const bool same_rows = (feature < n_features_) == (group.first_feature < n_features_);
      if (same_rows && width <= kPlaneColumns && width - group.n_features <= kMaxGap + 1) {
        group.n_features = width;
        group.last_column = i + 1;
        continue;
      }
    }
    groups_.push_back({.first_feature = feature, .n_features = 1, .first_column = i, .last_column = i + 1});
  }
}

ColumnPlanes PlaneEncoder::planes_of(std::size_t column) const noexcept {
  const auto found = std::lower_bound(columns_.begin(), columns_.end(), column,
                                      [](const Column& c, std::size_t wanted) { return c.column < wanted; });
  return found != columns_.end() && found->column == column ? found->planes : ColumnPlanes{};
}

template <>
RankTables<float> PlaneEncoder::tables(const Column& column) const noexcept {
  return {tables32_.data() + column.sorted, tables32_.data() + column.tree, column.planes.count};
}
template <>
RankTables<double> PlaneEncoder::tables(const Column& column) const noexcept {
  return {tables64_.data() + column.sorted, tables64_.data() + column.tree, column.planes.count};
}

// S is the width that compares; `numbers` has kPlaneRows numbers of one feature.
template <class S, class T>
void PlaneEncoder::encode_column(const Column& column, const T* numbers, const Block& block) const noexcept {
  const ColumnPlanes& planes = column.planes;
  if (column.codes != kNoCodes) {
    alignas(kAlignment) std::uint16_t codes[kPlaneRows];
    codes_[column.codes].codes(numbers, kPlaneRows, std::is_same_v<S, float>, codes);
    kernels_->transpose16(codes, planes.count, block.vector(planes.first), block.vector_bytes);
    return;
  }
  const PlaneOutput out{block.vector(planes.first), block.vector_bytes, block.mask(planes.nan),
                        block.mask(planes.zero)};
  if constexpr (std::is_same_v<S, T>) {
    if constexpr (std::is_same_v<S, float>) {
      kernels_->rank32(numbers, tables<float>(column), out);
    } else {
      kernels_->rank64(numbers, tables<double>(column), out);
    }
  } else {
    alignas(kAlignment) float rounded[kPlaneRows];
    for (std::size_t i = 0; i < kPlaneRows; ++i) rounded[i] = static_cast<float>(numbers[i]);
    kernels_->rank32(rounded, tables<float>(column), out);
  }
}

void PlaneEncoder::encode_absent(const Column& column, const Block& block) const noexcept {
  const ColumnPlanes& planes = column.planes;
  const auto fill = [&block](std::uint32_t vector, bool bit) {
    std::memset(block.vector(vector), bit ? 0xff : 0, kPlaneBytes);
  };
  for (std::uint32_t j = 0; j < planes.count; ++j) fill(planes.first + j, (column.absent_rank >> j & 1) != 0);
  if (planes.nan != kNoPlane) fill(planes.nan, absent_ != absent_);
  if (planes.zero != kNoPlane) fill(planes.zero, true);  // absent_ is 0 or NaN
}

// first_feature: of the rows.
template <class S, class T>
void PlaneEncoder::encode_group(const Group& group, const DenseRows<T>& rows, std::uint32_t first_feature,
                                const Block& block) const noexcept {
  alignas(kAlignment) T numbers[kPlaneColumns * kPlaneRows];
  const T* const first = rows.numbers + (group.first_feature - first_feature);
  if constexpr (std::is_same_v<T, float>) {
    kernels_->columns32(first, rows.stride, block.n, group.n_features, numbers);
  } else {
    kernels_->columns64(first, rows.stride, block.n, group.n_features, numbers);
  }
  for (std::uint32_t i = group.first_column; i < group.last_column; ++i) {
    const Column& column = columns_[i];
    encode_column<S>(column, numbers + (column.feature - group.first_feature) * kPlaneRows, block);
  }
}

namespace {

// Calls encode(row, n, vectors) for each kPlaneRows of n rows; what no row reaches is zeroed.
template <class Encode>
void each_block(std::size_t n, std::size_t n_vectors, std::size_t vector_bytes, std::byte* vectors,
                const Encode& encode) noexcept {
  for (std::size_t part = 0; part < vector_bytes; part += kPlaneBytes) {
    const std::size_t row = part * 8;
    if (row < n) {
      encode(row, std::min(n - row, kPlaneRows), vectors + part);
    } else {
      for (std::size_t i = 0; i < n_vectors; ++i)
        std::memset(vectors + i * vector_bytes + part, 0, kPlaneBytes);
    }
  }
}

}  // namespace

template <class S, class T>
void PlaneEncoder::encode_dense(const DenseRows<T>& rows, const DenseRows<float>& derived, std::size_t n,
                                std::size_t vector_bytes, std::byte* vectors) const noexcept {
  each_block(n, n_vectors_, vector_bytes, vectors, [&](std::size_t row, std::size_t n_rows, std::byte* out) {
    const Block block{n_rows, vector_bytes, out};
    for (const Group& group : groups_) {
      if (group.first_feature < n_features_) {
        encode_group<S>(group, rows.from(row), 0, block);
      } else {
        encode_group<float>(group, derived.from(row), n_features_, block);
      }
    }
  });
}

// Groups ascend by feature, and so do a row's entries: each row keeps its place.
template <class S, class T>
void PlaneEncoder::encode_sparse(const SparseRows<T>& rows, const Block& block) const noexcept {
  alignas(kAlignment) T numbers[kPlaneColumns * kPlaneRows];
  std::int64_t next[kPlaneRows];
  std::copy_n(rows.offsets, block.n, next);
  for (const Group& group : groups_) {
    std::uint32_t touched = 0;
    for (std::size_t row = 0; row < block.n; ++row) {
      const std::int64_t end = rows.offsets[row + 1];
      for (; next[row] < end; ++next[row]) {
        const auto feature = static_cast<std::uint32_t>(rows.features[next[row]]);
        if (feature < group.first_feature) continue;
        const std::uint32_t column = feature - group.first_feature;
        if (column >= group.n_features) break;
        T* const of_column = numbers + column * kPlaneRows;
        if ((touched >> column & 1u) == 0) std::fill_n(of_column, kPlaneRows, static_cast<T>(absent_));
        touched |= 1u << column;
        of_column[row] = rows.numbers[next[row]];
      }
    }
    for (std::uint32_t i = group.first_column; i < group.last_column; ++i) {
      const Column& column = columns_[i];
      const std::uint32_t place = column.feature - group.first_feature;
      if ((touched >> place & 1u) != 0) {
        encode_column<S>(column, numbers + place * kPlaneRows, block);
      } else {
        encode_absent(column, block);
      }
    }
  }
}

void PlaneEncoder::encode(const DenseRows<float>& rows, const DenseRows<float>& derived, std::size_t n,
                          std::size_t vector_bytes, std::byte* vectors) const noexcept {
  encode_dense<float>(rows, derived, n, vector_bytes, vectors);
}
void PlaneEncoder::encode(const DenseRows<double>& rows, const DenseRows<float>& derived, std::size_t n,
                          std::size_t vector_bytes, std::byte* vectors) const noexcept {
  if (float32_input_) {
    encode_dense<float>(rows, derived, n, vector_bytes, vectors);
  } else {
    encode_dense<double>(rows, derived, n, vector_bytes, vectors);
  }
}
void PlaneEncoder::encode(const SparseRows<float>& rows, std::size_t n, std::size_t vector_bytes,
                          std::byte* vectors) const noexcept {
  each_block(n, n_vectors_, vector_bytes, vectors, [&](std::size_t row, std::size_t n_rows, std::byte* out) {
    encode_sparse<float>(rows.from(row), {n_rows, vector_bytes, out});
  });
}
void PlaneEncoder::encode(const SparseRows<double>& rows, std::size_t n, std::size_t vector_bytes,
                          std::byte* vectors) const noexcept {
  each_block(n, n_vectors_, vector_bytes, vectors, [&](std::size_t row, std::size_t n_rows, std::byte* out) {
    if (float32_input_) {
      encode_sparse<float>(rows.from(row), {n_rows, vector_bytes, out});
    } else {
      encode_sparse<double>(rows.from(row), {n_rows, vector_bytes, out});
    }
  });
}

}  // namespace shortlist::trees
