// Transposes with AVX-512: rows of numbers to columns, 16-bit values to bit planes.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace {

inline constexpr std::size_t kTileRows = 16;
inline constexpr std::size_t kTileColumns = 16;

// out[c * to + r] = rows[r * from + c] for a tile of kTileRows x n_columns; writes n_columns columns.
inline void transpose_tile(const float* rows, std::size_t from, std::size_t n_columns, float* out,
                           std::size_t to) {
  const auto columns = static_cast<__mmask16>((1u << n_columns) - 1u);
  __m512 a[16], b[16];
  for (int i = 0; i < 16; ++i)
    a[i] = _mm512_maskz_loadu_ps(columns, rows + static_cast<std::size_t>(i) * from);
  for (int i = 0; i < 16; i += 2) {
    b[i] = _mm512_unpacklo_ps(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_ps(a[i], a[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {  // now a[i + c] has column c of each group of four, rows i .. i + 3
    for (int pair = 0; pair < 2; ++pair) {
      const __m512d low = _mm512_castps_pd(b[i + pair]);
      const __m512d high = _mm512_castps_pd(b[i + 2 + pair]);
      a[i + 2 * pair] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
      a[i + 2 * pair + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
    }
  }
  for (int c = 0; c < 4; ++c) {
    const __m512 even_low = _mm512_shuffle_f32x4(a[c], a[c + 4], 0x88);
    const __m512 odd_low = _mm512_shuffle_f32x4(a[c], a[c + 4], 0xdd);
    const __m512 even_high = _mm512_shuffle_f32x4(a[c + 8], a[c + 12], 0x88);
    const __m512 odd_high = _mm512_shuffle_f32x4(a[c + 8], a[c + 12], 0xdd);
    b[c] = _mm512_shuffle_f32x4(even_low, even_high, 0x88);
    b[c + 8] = _mm512_shuffle_f32x4(even_low, even_high, 0xdd);
    b[c + 4] = _mm512_shuffle_f32x4(odd_low, odd_high, 0x88);
    b[c + 12] = _mm512_shuffle_f32x4(odd_low, odd_high, 0xdd);
  }
#pragma GCC unroll 16
  for (std::size_t c = 0; c < 16; ++c) {
    if (c < n_columns) _mm512_store_ps(out + c * to, b[c]);
  }
}

// Bit j of 128 values to 16 bytes at planes + j * stride.
inline void transpose_bits(const std::uint16_t* values, std::size_t n_planes, std::byte* planes,
                           std::size_t stride) {
  for (std::size_t row = 0; row < 128; row += 32) {
    const __m512i v = _mm512_load_si512(values + row);
    __m512i bit = _mm512_set1_epi16(1);
    for (std::size_t j = 0; j < n_planes; ++j) {
      const std::uint32_t mask = _mm512_test_epi16_mask(v, bit);
      std::memcpy(planes + j * stride + row / 8, &mask, sizeof(mask));
      bit = _mm512_add_epi16(bit, bit);
    }
  }
}

}  // namespace
