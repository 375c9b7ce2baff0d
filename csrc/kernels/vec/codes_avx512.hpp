// Sums of 16 coded vectors in one AVX-512 register: by VPDPBUSD where the unit is compiled for VNNI, else by
// widened bytes.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/vec/avx512.hpp"

namespace {

using Sums = __m512i;
inline Sums repeat_sum(std::int32_t value) { return _mm512_set1_epi32(value); }
inline Sums add_sums(Sums a, Sums b) { return _mm512_add_epi32(a, b); }
inline __m512i four_codes(const std::int8_t* codes) {
  std::int32_t four;
  std::memcpy(&four, codes, sizeof(four));
  return _mm512_set1_epi32(four);
}
#if defined(__AVX512VNNI__)
using QueryChunk = __m512i;
inline QueryChunk spread(const std::int8_t* codes) { return four_codes(codes); }
inline Sums accumulate(Sums sums, const std::uint8_t* codes, QueryChunk query) {
  return _mm512_dpbusd_epi32(sums, _mm512_load_si512(codes), query);
}
#else
// 16-bit codes of dimensions 0 and 2, and of 1 and 3, again and again.
struct QueryChunk {
  __m512i even, odd;
};
inline QueryChunk spread(const std::int8_t* codes) {
  const __m512i all = four_codes(codes);
  return {_mm512_srai_epi16(_mm512_slli_epi16(all, 8), 8), _mm512_srai_epi16(all, 8)};
}
inline Sums accumulate(Sums sums, const std::uint8_t* codes, QueryChunk query) {
  const __m512i bytes = _mm512_load_si512(codes);
  const __m512i even = _mm512_and_si512(bytes, _mm512_set1_epi16(0xFF));
  const __m512i odd = _mm512_srli_epi16(bytes, 8);
  sums = _mm512_add_epi32(sums, _mm512_madd_epi16(even, query.even));
  return _mm512_add_epi32(sums, _mm512_madd_epi16(odd, query.odd));
}
#endif
inline F16x to_floats(Sums sums) { return _mm512_cvtepi32_ps(sums); }

inline F16x repeat(float x) { return _mm512_set1_ps(x); }
inline void store(float* p, F16x v) { _mm512_storeu_ps(p, v); }
inline std::uint32_t mask_at_least(F16x v, F16x floor) { return _mm512_cmp_ps_mask(v, floor, _CMP_GE_OQ); }
inline F16x lesser(F16x a, F16x b) { return _mm512_min_ps(a, b); }
inline F16x greater(F16x a, F16x b) { return _mm512_max_ps(a, b); }
// Lanes outside the mask become -inf.
inline F16x mask_lanes(F16x v, std::uint32_t mask) {
  return _mm512_mask_mov_ps(_mm512_set1_ps(-__builtin_inff()), static_cast<__mmask16>(mask), v);
}
inline void keep_greater(F16x& best, F16x& place, F16x v, F16x place_of_v) {
  const __mmask16 greater = _mm512_cmp_ps_mask(v, best, _CMP_GT_OQ);
  best = _mm512_mask_mov_ps(best, greater, v);
  place = _mm512_mask_mov_ps(place, greater, place_of_v);
}

// Compressed in the register and stored whole: far faster than a compressing store to memory.
inline std::size_t append(float* scores, std::uint32_t* slots, F16x v, std::uint32_t mask,
                          std::uint32_t first_slot) {
  const auto lanes = static_cast<__mmask16>(mask);
  const __m512i slot =
      _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(first_slot)),
                       _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
  _mm512_storeu_ps(scores, _mm512_maskz_compress_ps(lanes, v));
  _mm512_storeu_si512(slots, _mm512_maskz_compress_epi32(lanes, slot));
  return static_cast<std::size_t>(__builtin_popcount(mask));
}
// The slots may lie where they are appended, or behind.
inline std::size_t append_pairs(float* scores, std::uint32_t* slots, F16x v, const std::uint32_t* from,
                                std::uint32_t mask) {
  const auto lanes = static_cast<__mmask16>(mask);
  const __m512i slot = _mm512_loadu_si512(from);
  _mm512_storeu_ps(scores, _mm512_maskz_compress_ps(lanes, v));
  _mm512_storeu_si512(slots, _mm512_maskz_compress_epi32(lanes, slot));
  return static_cast<std::size_t>(__builtin_popcount(mask));
}

// The lanes of the mask whose row has its bit set.
inline std::uint32_t allowed_lanes(std::uint32_t mask, const std::uint32_t* rows,
                                   const std::uint64_t* allowed) {
  const auto lanes = static_cast<__mmask16>(mask);
  const __m512i row = _mm512_maskz_loadu_epi32(lanes, rows);
  const __m512i words = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), lanes, _mm512_srli_epi32(row, 5),
                                                    reinterpret_cast<const int*>(allowed), 4);
  const __m512i bit = _mm512_sllv_epi32(_mm512_set1_epi32(1), _mm512_and_si512(row, _mm512_set1_epi32(31)));
  return _mm512_mask_test_epi32_mask(lanes, words, bit);
}

inline constexpr std::size_t kMaxRanked = 320;

// Eight keys side by side, each counting the smaller ones.
void rank_keys(std::uint64_t* keys, std::size_t n, std::uint64_t* out) noexcept {
  for (std::size_t i = n; i % 8 != 0; ++i) keys[i] = UINT64_MAX;
  const __m512i one = _mm512_set1_epi64(1);
  for (std::size_t i = 0; i < n; i += 8) {
    const __m512i eight = _mm512_loadu_si512(keys + i);
    __m512i even = _mm512_setzero_si512();
    __m512i odd = _mm512_setzero_si512();
    std::size_t j = 0;
    for (; j + 2 <= n; j += 2) {
      const __m512i first = _mm512_set1_epi64(static_cast<long long>(keys[j]));
      const __m512i second = _mm512_set1_epi64(static_cast<long long>(keys[j + 1]));
      even = _mm512_mask_add_epi64(even, _mm512_cmplt_epu64_mask(first, eight), even, one);
      odd = _mm512_mask_add_epi64(odd, _mm512_cmplt_epu64_mask(second, eight), odd, one);
    }
    if (j < n) {
      const __m512i last = _mm512_set1_epi64(static_cast<long long>(keys[j]));
      even = _mm512_mask_add_epi64(even, _mm512_cmplt_epu64_mask(last, eight), even, one);
    }
    std::uint64_t ranks[8];
    _mm512_storeu_si512(ranks, _mm512_add_epi64(even, odd));
    for (std::size_t lane = 0; lane < 8 && i + lane < n; ++lane) out[ranks[lane]] = keys[i + lane];
  }
}

}  // namespace
