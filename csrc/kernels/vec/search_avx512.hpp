// What the search of a threshold tree needs of AVX-512: 16 floats or 8 doubles, decided into masks.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace {

struct FloatSearch {
  using Number = float;
  using Vector = __m512;
  using Index = __m512i;
  using Mask = __mmask16;
  static constexpr std::uint32_t kLanes = 16;

  static Vector load(const float* p) { return _mm512_load_ps(p); }
  static Vector repeat(float x) { return _mm512_set1_ps(x); }
  static Mask greater(Vector x, Vector y) { return _mm512_cmp_ps_mask(x, y, _CMP_GT_OQ); }
  static Mask not_greater(Vector x, Vector y) { return _mm512_cmp_ps_mask(x, y, _CMP_NGT_UQ); }
  static Mask unordered(Vector x) { return _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q); }
  static Vector magnitude(Vector x) { return _mm512_abs_ps(x); }
  static void store(Mask mask, std::byte* p) { std::memcpy(p, &mask, sizeof(mask)); }

  static Index none() { return _mm512_setzero_si512(); }
  static Index add_where(Index index, Mask mask, std::uint32_t step) {
    return _mm512_mask_add_epi32(index, mask, index, _mm512_set1_epi32(static_cast<int>(step)));
  }
  // The table's entry at the low bits of the index; what the registers lack of them is in `decided`, by bit.
  template <std::uint32_t kRegisters>
  static Vector look_up(const Vector* table, Index index, const Mask* decided) {
    if constexpr (kRegisters == 1) return _mm512_permutexvar_ps(index, table[0]);
    if constexpr (kRegisters == 2) return _mm512_permutex2var_ps(table[0], index, table[1]);
    if constexpr (kRegisters > 2) {
      const Vector low = look_up<kRegisters / 2>(table, index, decided);
      const Vector high = look_up<kRegisters / 2>(table + kRegisters / 2, index, decided);
      return _mm512_mask_mov_ps(low, decided[kRegisters == 4 ? 5 : 6], high);
    }
  }
  static Vector gather(const float* table, Index index) { return _mm512_i32gather_ps(index, table, 4); }
};

struct DoubleSearch {
  using Number = double;
  using Vector = __m512d;
  using Index = __m512i;
  using Mask = __mmask8;
  static constexpr std::uint32_t kLanes = 8;

  static Vector load(const double* p) { return _mm512_load_pd(p); }
  static Vector repeat(double x) { return _mm512_set1_pd(x); }
  static Mask greater(Vector x, Vector y) { return _mm512_cmp_pd_mask(x, y, _CMP_GT_OQ); }
  static Mask not_greater(Vector x, Vector y) { return _mm512_cmp_pd_mask(x, y, _CMP_NGT_UQ); }
  static Mask unordered(Vector x) { return _mm512_cmp_pd_mask(x, x, _CMP_UNORD_Q); }
  static Vector magnitude(Vector x) { return _mm512_abs_pd(x); }
  static void store(Mask mask, std::byte* p) { std::memcpy(p, &mask, sizeof(mask)); }

  static Index none() { return _mm512_setzero_si512(); }
  static Index add_where(Index index, Mask mask, std::uint32_t step) {
    return _mm512_mask_add_epi64(index, mask, index, _mm512_set1_epi64(static_cast<long long>(step)));
  }
  template <std::uint32_t kRegisters>
  static Vector look_up(const Vector* table, Index index, const Mask* decided) {
    if constexpr (kRegisters == 1) return _mm512_permutexvar_pd(index, table[0]);
    if constexpr (kRegisters == 2) return _mm512_permutex2var_pd(table[0], index, table[1]);
    if constexpr (kRegisters > 2) {
      const Vector low = look_up<kRegisters / 2>(table, index, decided);
      const Vector high = look_up<kRegisters / 2>(table + kRegisters / 2, index, decided);
      return _mm512_mask_mov_pd(low, decided[kRegisters == 4 ? 4 : kRegisters == 8 ? 5 : 6], high);
    }
  }
  static Vector gather(const double* table, Index index) { return _mm512_i64gather_pd(index, table, 8); }
};

}  // namespace
