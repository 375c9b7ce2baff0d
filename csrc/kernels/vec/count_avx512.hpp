// How many of sixteen numbers, aligned to 64 bytes, are below another.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace {

inline std::uint32_t count_below(const float* sixteen, float x) noexcept {
  const __mmask16 below = _mm512_cmp_ps_mask(_mm512_load_ps(sixteen), _mm512_set1_ps(x), _CMP_LT_OQ);
  return static_cast<std::uint32_t>(__builtin_popcount(below));
}

inline std::uint32_t count_below(const double* sixteen, double x) noexcept {
  const __m512d number = _mm512_set1_pd(x);
  const __mmask8 low = _mm512_cmp_pd_mask(_mm512_load_pd(sixteen), number, _CMP_LT_OQ);
  const __mmask8 high = _mm512_cmp_pd_mask(_mm512_load_pd(sixteen + 8), number, _CMP_LT_OQ);
  return static_cast<std::uint32_t>(__builtin_popcount(low) + __builtin_popcount(high));
}

}  // namespace
