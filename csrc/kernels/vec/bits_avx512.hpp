// Blocks of bits in one register each, their logic one VPTERNLOG.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace {

inline constexpr int kXorAnd = 0x78;  // x ^ (y & z)

template <std::size_t kBytes>
struct Bits;

template <>
struct Bits<16> {
  __m128i bits;
  static Bits load(const std::byte* p) { return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))}; }
  static Bits repeat(std::uint64_t word) { return {_mm_set1_epi64x(static_cast<long long>(word))}; }
  void store(std::byte* p) const { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), bits); }
};
inline Bits<16> xor_and(Bits<16> x, Bits<16> y, Bits<16> z) {
  return {_mm_ternarylogic_epi64(x.bits, y.bits, z.bits, kXorAnd)};
}

template <>
struct Bits<64> {
  __m512i bits;
  static Bits load(const std::byte* p) { return {_mm512_loadu_si512(p)}; }
  static Bits repeat(std::uint64_t word) { return {_mm512_set1_epi64(static_cast<long long>(word))}; }
  void store(std::byte* p) const { _mm512_storeu_si512(p, bits); }
};
inline Bits<64> xor_and(Bits<64> x, Bits<64> y, Bits<64> z) {
  return {_mm512_ternarylogic_epi64(x.bits, y.bits, z.bits, kXorAnd)};
}

}  // namespace
