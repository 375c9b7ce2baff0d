// Transposes with AVX2: rows of numbers to columns, 16-bit values to bit planes.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace {

inline constexpr std::size_t kTileRows = 8;
inline constexpr std::size_t kTileColumns = 8;

// out[c * to + r] = rows[r * from + c] for a tile of kTileRows x n_columns; writes n_columns columns.
inline void transpose_tile(const float* rows, std::size_t from, std::size_t n_columns, float* out,
                           std::size_t to) {
  const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i columns = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n_columns)), index);
  __m256 a[8], b[8];
  for (int i = 0; i < 8; ++i) a[i] = _mm256_maskload_ps(rows + static_cast<std::size_t>(i) * from, columns);
  for (int i = 0; i < 8; i += 2) {
    b[i] = _mm256_unpacklo_ps(a[i], a[i + 1]);
    b[i + 1] = _mm256_unpackhi_ps(a[i], a[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    a[i] = _mm256_shuffle_ps(b[i], b[i + 2], 0x44);
    a[i + 1] = _mm256_shuffle_ps(b[i], b[i + 2], 0xee);
    a[i + 2] = _mm256_shuffle_ps(b[i + 1], b[i + 3], 0x44);
    a[i + 3] = _mm256_shuffle_ps(b[i + 1], b[i + 3], 0xee);
  }
  for (int c = 0; c < 4; ++c) {
    b[c] = _mm256_permute2f128_ps(a[c], a[c + 4], 0x20);
    b[c + 4] = _mm256_permute2f128_ps(a[c], a[c + 4], 0x31);
  }
#pragma GCC unroll 8
  for (std::size_t c = 0; c < 8; ++c) {
    if (c < n_columns) _mm256_store_ps(out + c * to, b[c]);
  }
}

// Bit j of 128 values to 16 bytes at planes + j * stride.
inline void transpose_bits(const std::uint16_t* values, std::size_t n_planes, std::byte* planes,
                           std::size_t stride) {
  const __m256i low_byte = _mm256_set1_epi16(0xff);
  for (std::size_t row = 0; row < 128; row += 32) {
    const auto* const from = reinterpret_cast<const __m256i*>(values + row);
    const __m256i a = _mm256_load_si256(from);
    const __m256i b = _mm256_load_si256(from + 1);
    for (std::size_t half = 0; 8 * half < n_planes; ++half) {
      const __m256i bytes =
          half == 0 ? _mm256_packus_epi16(_mm256_and_si256(a, low_byte), _mm256_and_si256(b, low_byte))
                    : _mm256_packus_epi16(_mm256_srli_epi16(a, 8), _mm256_srli_epi16(b, 8));
      __m256i v = _mm256_permute4x64_epi64(bytes, 0xd8);
      const std::size_t n = n_planes - 8 * half;
      for (std::size_t j = 8; j-- > 0; v = _mm256_add_epi8(v, v)) {  // the highest bit first
        const auto mask = static_cast<std::uint32_t>(_mm256_movemask_epi8(v));
        if (j < n) std::memcpy(planes + (8 * half + j) * stride + row / 8, &mask, sizeof(mask));
      }
    }
  }
}

}  // namespace
