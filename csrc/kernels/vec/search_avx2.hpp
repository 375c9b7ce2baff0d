// What the search of a threshold tree needs of AVX2: 8 floats, decided into lanes of all bits or none.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace {

struct FloatSearch {
  using Number = float;
  using Vector = __m256;
  using Index = __m256i;
  using Mask = __m256;
  static constexpr std::uint32_t kLanes = 8;

  static Vector load(const float* p) { return _mm256_load_ps(p); }
  static Vector repeat(float x) { return _mm256_set1_ps(x); }
  static Mask greater(Vector x, Vector y) { return _mm256_cmp_ps(x, y, _CMP_GT_OQ); }
  static Mask not_greater(Vector x, Vector y) { return _mm256_cmp_ps(x, y, _CMP_NGT_UQ); }
  static Mask unordered(Vector x) { return _mm256_cmp_ps(x, x, _CMP_UNORD_Q); }
  static Vector magnitude(Vector x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }
  static void store(Mask mask, std::byte* p) { *p = static_cast<std::byte>(_mm256_movemask_ps(mask)); }

  static Index none() { return _mm256_setzero_si256(); }
  static Index add_where(Index index, Mask mask, std::uint32_t step) {
    const __m256i steps = _mm256_set1_epi32(static_cast<int>(step));
    return _mm256_add_epi32(index, _mm256_and_si256(_mm256_castps_si256(mask), steps));
  }
  // The table's entry at the low bits of the index; what the registers lack of them is in `decided`, by bit.
  template <std::uint32_t kRegisters>
  static Vector look_up(const Vector* table, Index index, const Mask* decided) {
    if constexpr (kRegisters == 1) {
      return _mm256_permutevar8x32_ps(table[0], index);
    } else {
      constexpr int kBit = kRegisters == 2 ? 3 : kRegisters == 4 ? 4 : kRegisters == 8 ? 5 : 6;
      const Vector low = look_up<kRegisters / 2>(table, index, decided);
      const Vector high = look_up<kRegisters / 2>(table + kRegisters / 2, index, decided);
      return _mm256_blendv_ps(low, high, decided[kBit]);
    }
  }
  static Vector gather(const float* table, Index index) { return _mm256_i32gather_ps(table, index, 4); }
};

}  // namespace
