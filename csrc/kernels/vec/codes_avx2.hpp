// Sums of 16 coded vectors in two AVX2 registers: bytes are widened, as VPMADDUBSW would saturate.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/vec/append_lanes.hpp"
#include "kernels/vec/avx2.hpp"
#include "kernels/vec/rank_keys.hpp"

namespace {

struct Sums {
  __m256i low, high;
};
// 16-bit codes of dimensions 0 and 2, and of 1 and 3, again and again.
struct QueryChunk {
  __m256i even, odd;
};
inline Sums repeat_sum(std::int32_t value) { return {_mm256_set1_epi32(value), _mm256_set1_epi32(value)}; }
inline Sums add_sums(Sums a, Sums b) {
  return {_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high)};
}
inline QueryChunk spread(const std::int8_t* codes) {
  std::int32_t four;
  std::memcpy(&four, codes, sizeof(four));
  const __m256i all = _mm256_set1_epi32(four);
  return {_mm256_srai_epi16(_mm256_slli_epi16(all, 8), 8), _mm256_srai_epi16(all, 8)};
}
inline __m256i accumulate_half(__m256i sum, const std::uint8_t* codes, QueryChunk query) {
  const __m256i bytes = _mm256_load_si256(reinterpret_cast<const __m256i*>(codes));
  const __m256i even = _mm256_and_si256(bytes, _mm256_set1_epi16(0xFF));
  const __m256i odd = _mm256_srli_epi16(bytes, 8);
  sum = _mm256_add_epi32(sum, _mm256_madd_epi16(even, query.even));
  return _mm256_add_epi32(sum, _mm256_madd_epi16(odd, query.odd));
}
inline Sums accumulate(Sums sums, const std::uint8_t* codes, QueryChunk query) {
  return {accumulate_half(sums.low, codes, query), accumulate_half(sums.high, codes + 32, query)};
}
inline F16x to_floats(Sums sums) { return {_mm256_cvtepi32_ps(sums.low), _mm256_cvtepi32_ps(sums.high)}; }

inline F16x repeat(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
inline void store(float* p, F16x v) {
  _mm256_storeu_ps(p, v.low);
  _mm256_storeu_ps(p + 8, v.high);
}
inline std::uint32_t mask_at_least(F16x v, F16x floor) {
  const int low = _mm256_movemask_ps(_mm256_cmp_ps(v.low, floor.low, _CMP_GE_OQ));
  const int high = _mm256_movemask_ps(_mm256_cmp_ps(v.high, floor.high, _CMP_GE_OQ));
  return static_cast<std::uint32_t>(low) | static_cast<std::uint32_t>(high) << 8;
}
inline F16x lesser(F16x a, F16x b) { return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)}; }
inline F16x greater(F16x a, F16x b) { return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)}; }
// Lanes outside the mask become -inf.
inline F16x mask_lanes(F16x v, std::uint32_t mask) {
  const __m256i bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  const auto half = [bits](__m256 x, std::uint32_t m) {
    const __m256i inside =
        _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(static_cast<int>(m)), bits), bits);
    return _mm256_blendv_ps(_mm256_set1_ps(-__builtin_inff()), x, _mm256_castsi256_ps(inside));
  };
  return {half(v.low, mask & 0xFF), half(v.high, mask >> 8)};
}
inline void keep_greater(F16x& best, F16x& place, F16x v, F16x place_of_v) {
  const __m256 low = _mm256_cmp_ps(v.low, best.low, _CMP_GT_OQ);
  const __m256 high = _mm256_cmp_ps(v.high, best.high, _CMP_GT_OQ);
  best = {_mm256_blendv_ps(best.low, v.low, low), _mm256_blendv_ps(best.high, v.high, high)};
  place = {_mm256_blendv_ps(place.low, place_of_v.low, low),
           _mm256_blendv_ps(place.high, place_of_v.high, high)};
}

}  // namespace
