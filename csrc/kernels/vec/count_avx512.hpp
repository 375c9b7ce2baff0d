// How many of sixteen ascending numbers, aligned to 64 bytes, are below another.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace {

inline std::uint32_t count_below(const float* sixteen, float x) noexcept {
  const __mmask16 below = _mm512_cmp_ps_mask(_mm512_load_ps(sixteen), _mm512_set1_ps(x), _CMP_LT_OQ);
  return static_cast<std::uint32_t>(_mm_popcnt_u32(_cvtmask16_u32(below)));
}

inline std::uint32_t count_below(const double* sixteen, double x) noexcept {
  const __m512d number = _mm512_set1_pd(x);
  const __mmask8 low = _mm512_cmp_pd_mask(_mm512_load_pd(sixteen), number, _CMP_LT_OQ);
  const __mmask8 high = _mm512_cmp_pd_mask(_mm512_load_pd(sixteen + 8), number, _CMP_LT_OQ);
  return static_cast<std::uint32_t>(_mm_popcnt_u32(_cvtmask8_u32(low)) + _mm_popcnt_u32(_cvtmask8_u32(high)));
}

}  // namespace
