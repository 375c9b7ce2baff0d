// Sixteen float lanes in two AVX2 registers.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace {

struct F16x {
  __m256 low, high;
};
inline F16x zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
inline F16x load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
// The first n lanes, n < 16; the rest are zero.
inline F16x load_first(const float* p, std::size_t n) {
  const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i count = _mm256_set1_epi32(static_cast<int>(n));
  const __m256i low = _mm256_cmpgt_epi32(count, index);
  const __m256i high = _mm256_cmpgt_epi32(count, _mm256_add_epi32(index, _mm256_set1_epi32(8)));
  return {_mm256_maskload_ps(p, low), n > 8 ? _mm256_maskload_ps(p + 8, high) : _mm256_setzero_ps()};
}
inline F16x add(F16x a, F16x b) { return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)}; }
inline F16x sub(F16x a, F16x b) { return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)}; }
inline F16x mul(F16x a, F16x b) { return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)}; }
// Lanes folded by halves: 16 -> 8 -> 4 -> 2 -> 1.
inline float fold(F16x v) {
  const __m256 eight = _mm256_add_ps(v.low, v.high);
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  four = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
}
// Bit i is set where p[i] >= floor.
inline std::uint32_t at_least(const float* p, float floor) {
  const __m256 bound = _mm256_set1_ps(floor);
  const int low = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(p), bound, _CMP_GE_OQ));
  const int high = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(p + 8), bound, _CMP_GE_OQ));
  return static_cast<std::uint32_t>(low) | static_cast<std::uint32_t>(high) << 8;
}

}  // namespace
