// Sixteen float lanes in one AVX-512 register.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace {

using F16x = __m512;
inline F16x zero() { return _mm512_setzero_ps(); }
inline F16x load(const float* p) { return _mm512_loadu_ps(p); }
// The first n lanes, n < 16; the rest are zero.
inline F16x load_first(const float* p, std::size_t n) {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1u), p);
}
inline F16x add(F16x a, F16x b) { return _mm512_add_ps(a, b); }
inline F16x sub(F16x a, F16x b) { return _mm512_sub_ps(a, b); }
inline F16x mul(F16x a, F16x b) { return _mm512_mul_ps(a, b); }
// Lanes folded by halves: 16 -> 8 -> 4 -> 2 -> 1.
inline float fold(F16x v) {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  four = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
}
// Bit i is set where p[i] >= floor.
inline std::uint32_t at_least(const float* p, float floor) {
  return _mm512_cmp_ps_mask(_mm512_loadu_ps(p), _mm512_set1_ps(floor), _CMP_GE_OQ);
}

}  // namespace
