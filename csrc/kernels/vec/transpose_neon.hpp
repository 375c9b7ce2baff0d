// Transposes with NEON: rows of numbers to columns, 16-bit values to bit planes.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace {

inline constexpr std::size_t kTileRows = 4;
inline constexpr std::size_t kTileColumns = 4;

// out[c * to + r] = rows[r * from + c] for a tile of kTileRows x n_columns; writes n_columns columns.
inline void transpose_tile(const float* rows, std::size_t from, std::size_t n_columns, float* out,
                           std::size_t to) {
  if (n_columns < kTileColumns) {
    for (std::size_t c = 0; c < n_columns; ++c) {
      for (std::size_t r = 0; r < kTileRows; ++r) out[c * to + r] = rows[r * from + c];
    }
    return;
  }
  const float32x4x2_t top = vtrnq_f32(vld1q_f32(rows), vld1q_f32(rows + from));
  const float32x4x2_t bottom = vtrnq_f32(vld1q_f32(rows + 2 * from), vld1q_f32(rows + 3 * from));
  for (int c = 0; c < 2; ++c) {
    const std::size_t at = static_cast<std::size_t>(c) * to;
    vst1q_f32(out + at, vcombine_f32(vget_low_f32(top.val[c]), vget_low_f32(bottom.val[c])));
    vst1q_f32(out + at + 2 * to, vcombine_f32(vget_high_f32(top.val[c]), vget_high_f32(bottom.val[c])));
  }
}

// Bit j of 128 values to 16 bytes at planes + j * stride.
inline void transpose_bits(const std::uint16_t* values, std::size_t n_planes, std::byte* planes,
                           std::size_t stride) {
  const uint8x16_t weights = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  for (std::size_t row = 0; row < 128; row += 16) {
    const uint8x16_t a = vreinterpretq_u8_u16(vld1q_u16(values + row));
    const uint8x16_t b = vreinterpretq_u8_u16(vld1q_u16(values + row + 8));
    for (std::size_t half = 0; 8 * half < n_planes; ++half) {
      const uint8x16_t v = half == 0 ? vuzp1q_u8(a, b) : vuzp2q_u8(a, b);
      uint8x16_t sums[8];  // of the weights of the rows that have bit j
      for (int j = 0; j < 8; ++j)
        sums[j] = vandq_u8(vtstq_u8(v, vdupq_n_u8(static_cast<std::uint8_t>(1 << j))), weights);
      for (int n = 4; n > 0; n /= 2) {
        for (int j = 0; j < n; ++j) sums[j] = vpaddq_u8(sums[2 * j], sums[2 * j + 1]);
      }
      std::uint8_t bytes[16];  // two of each plane
      vst1q_u8(bytes, sums[0]);
      for (std::size_t j = 0; j < 8 && 8 * half + j < n_planes; ++j)
        std::memcpy(planes + (8 * half + j) * stride + row / 8, bytes + 2 * j, 2);
    }
  }
}

}  // namespace
