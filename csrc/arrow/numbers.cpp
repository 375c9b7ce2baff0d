#include "arrow/numbers.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "arrow/array_view.hpp"

namespace shortlist::arrow {
namespace {

// A binary16 number in its two bytes.
struct Half {
  std::uint16_t bits;
};

float as_float(Half half) noexcept {
  const std::uint32_t sign = std::uint32_t{half.bits & 0x8000u} << 16;
  const std::uint32_t exponent = half.bits >> 10 & 0x1Fu;
  const std::uint32_t fraction = half.bits & 0x3FFu;
  if (exponent == 0) {  // zero or a multiple of 2^-24
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == 0x1F ? 0xFFu : exponent + 112;
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

template <class From, class Number>
void convert(const std::byte* from, std::ptrdiff_t stride, std::size_t n, Number* out) noexcept {
  const auto one = [](const std::byte* at) noexcept {
    From value;
    std::memcpy(&value, at, sizeof(From));
    if constexpr (std::is_same_v<From, Half>) {
      return static_cast<Number>(as_float(value));
    } else {
      return static_cast<Number>(value);
    }
  };
  if (stride == static_cast<std::ptrdiff_t>(sizeof(From))) {
    for (std::size_t i = 0; i < n; ++i) out[i] = one(from + i * sizeof(From));
  } else {
    for (std::size_t i = 0; i < n; ++i) out[i] = one(from + static_cast<std::ptrdiff_t>(i) * stride);
  }
}

template <class Number>
void convert_any(const NumberChunk& chunk, std::size_t row, std::size_t n, Number* out) noexcept {
  const std::byte* const from = chunk.values + static_cast<std::ptrdiff_t>(row) * chunk.stride;
  switch (chunk.kind) {
    case Kind::boolean:
      for (std::size_t i = 0; i < n; ++i) {
        const auto* const bits = reinterpret_cast<const std::uint8_t*>(chunk.values);
        out[i] = test_bit(bits, chunk.first_bit + row + i) ? Number{1} : Number{0};
      }
      return;
    case Kind::int8:
      return convert<std::int8_t>(from, chunk.stride, n, out);
    case Kind::int16:
      return convert<std::int16_t>(from, chunk.stride, n, out);
    case Kind::int32:
      return convert<std::int32_t>(from, chunk.stride, n, out);
    case Kind::int64:
      return convert<std::int64_t>(from, chunk.stride, n, out);
    case Kind::uint8:
      return convert<std::uint8_t>(from, chunk.stride, n, out);
    case Kind::uint16:
      return convert<std::uint16_t>(from, chunk.stride, n, out);
    case Kind::uint32:
      return convert<std::uint32_t>(from, chunk.stride, n, out);
    case Kind::uint64:
      return convert<std::uint64_t>(from, chunk.stride, n, out);
    case Kind::float16:
      return convert<Half>(from, chunk.stride, n, out);
    case Kind::float32:
      return convert<float>(from, chunk.stride, n, out);
    case Kind::float64:
      return convert<double>(from, chunk.stride, n, out);
    default:  // null, and what no reader is made for
      std::fill_n(out, n, std::numeric_limits<Number>::quiet_NaN());
  }
}

template <class Number>
void read(const NumberChunk& chunk, std::size_t row, std::size_t n, Number* out) noexcept {
  convert_any(chunk, row, n, out);
  if (chunk.validity == nullptr) return;
  for (std::size_t i = 0; i < n; ++i) {
    if (!test_bit(chunk.validity, chunk.first_bit + row + i)) {
      out[i] = std::numeric_limits<Number>::quiet_NaN();
    }
  }
}

constexpr std::size_t kTileRows = 128;

// Columns of a tile: as many as fill a cache line of a row.
template <class Number>
constexpr std::size_t kTileColumns = 64 / sizeof(Number);

template <std::size_t kWidth, class Number>
void transpose(const Number* const* columns, std::size_t n_rows, std::size_t row_size, Number* out) noexcept {
  for (std::size_t row = 0; row < n_rows; ++row) {
    for (std::size_t column = 0; column < kWidth; ++column) {
      out[row * row_size + column] = columns[column][row];
    }
  }
}

}  // namespace

template <class Number>
NumberReader<Number>::NumberReader(std::vector<NumberChunk> chunks) : chunks_(std::move(chunks)) {}

template <class Number>
std::size_t NumberReader<Number>::size() const noexcept {
  std::size_t n = 0;
  for (const NumberChunk& chunk : chunks_) n += chunk.size;
  return n;
}

template <class Number>
bool NumberReader<Number>::lies_in_place(const NumberChunk& chunk) const noexcept {
  constexpr Kind kOwn = std::is_same_v<Number, float> ? Kind::float32 : Kind::float64;
  return chunk.kind == kOwn && chunk.validity == nullptr && chunk.stride == sizeof(Number) &&
         reinterpret_cast<std::uintptr_t>(chunk.values) % alignof(Number) == 0;
}

template <class Number>
const Number* NumberReader<Number>::next(std::size_t n, Number* scratch) noexcept {
  std::size_t done = 0;
  while (done < n) {
    const NumberChunk& chunk = chunks_[chunk_];
    const std::size_t part = std::min(n - done, chunk.size - row_);
    const std::size_t row = row_;
    row_ += part;
    if (row_ == chunk.size) {
      ++chunk_;
      row_ = 0;
    }
    if (part == n && lies_in_place(chunk)) return reinterpret_cast<const Number*>(chunk.values) + row;
    read(chunk, row, part, scratch + done);
    done += part;
  }
  return scratch;
}

bool copy_numbers(const NumberChunk& chunk, std::byte* to, bool* is_missing) noexcept {
  const std::size_t width = chunk.kind == Kind::boolean ? 1 : byte_width(chunk.kind);
  const auto* const bits = reinterpret_cast<const std::uint8_t*>(chunk.values);
  bool has_missing = false;
  for (std::size_t row = 0; row < chunk.size; ++row, to += width) {
    is_missing[row] = chunk.validity != nullptr && !test_bit(chunk.validity, chunk.first_bit + row);
    has_missing |= is_missing[row];
    if (is_missing[row]) {
      std::memset(to, 0, width);
    } else if (chunk.kind == Kind::boolean) {
      *to = static_cast<std::byte>(test_bit(bits, chunk.first_bit + row));
    } else {
      std::memcpy(to, chunk.values + static_cast<std::ptrdiff_t>(row) * chunk.stride, width);
    }
  }
  return has_missing;
}

template <class Number>
void write_rows(std::vector<NumberReader<Number>>& columns, std::size_t n, Number* out) noexcept {
  constexpr std::size_t kWidth = kTileColumns<Number>;
  alignas(64) Number scratch[kWidth][kTileRows];
  const Number* tile[kWidth];
  const std::size_t row_size = columns.size();
  for (std::size_t row = 0; row < n; row += kTileRows) {
    const std::size_t n_rows = std::min(kTileRows, n - row);
    for (std::size_t column = 0; column < row_size; column += kWidth) {
      const std::size_t width = std::min(kWidth, row_size - column);
      for (std::size_t i = 0; i < width; ++i) tile[i] = columns[column + i].next(n_rows, scratch[i]);
      Number* const to = out + row * row_size + column;
      if (width == kWidth) {
        transpose<kWidth>(tile, n_rows, row_size, to);
      } else {
        for (std::size_t i = 0; i < width; ++i) transpose<1>(tile + i, n_rows, row_size, to + i);
      }
    }
  }
}

template class NumberReader<float>;
template class NumberReader<double>;
template void write_rows(std::vector<NumberReader<float>>&, std::size_t, float*) noexcept;
template void write_rows(std::vector<NumberReader<double>>&, std::size_t, double*) noexcept;

}  // namespace shortlist::arrow
