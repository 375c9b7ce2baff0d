// Transposes in plain C++: rows of numbers to columns, 16-bit values to bit planes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace {

inline constexpr std::size_t kTileRows = 4;
inline constexpr std::size_t kTileColumns = 16;

// out[c * to + r] = rows[r * from + c] for a tile of kTileRows x n_columns; writes n_columns columns.
inline void transpose_tile(const float* rows, std::size_t from, std::size_t n_columns, float* out,
                           std::size_t to) {
  for (std::size_t c = 0; c < n_columns; ++c) {
    for (std::size_t r = 0; r < kTileRows; ++r) out[c * to + r] = rows[r * from + c];
  }
}

// Bit c of byte r becomes bit r of byte c.
inline std::uint64_t transpose_8x8(std::uint64_t x) {
  std::uint64_t t = (x ^ (x >> 7)) & 0x00aa00aa00aa00aaull;
  x ^= t ^ (t << 7);
  t = (x ^ (x >> 14)) & 0x0000cccc0000ccccull;
  x ^= t ^ (t << 14);
  t = (x ^ (x >> 28)) & 0x00000000f0f0f0f0ull;
  return x ^ t ^ (t << 28);
}

// Bit j of 128 values to 16 bytes at planes + j * stride.
inline void transpose_bits(const std::uint16_t* values, std::size_t n_planes, std::byte* planes,
                           std::size_t stride) {
  for (std::size_t row = 0; row < 128; row += 8) {
    for (std::size_t half = 0; 8 * half < n_planes; ++half) {
      std::uint64_t rows = 0;
      for (std::size_t i = 0; i < 8; ++i)
        rows |= static_cast<std::uint64_t>(values[row + i] >> (8 * half) & 0xff) << (8 * i);
      rows = transpose_8x8(rows);
      for (std::size_t j = 0; j < 8 && 8 * half + j < n_planes; ++j)
        planes[(8 * half + j) * stride + row / 8] = static_cast<std::byte>(rows >> (8 * j) & 0xff);
    }
  }
}

}  // namespace
