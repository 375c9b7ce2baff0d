// Blocks of bits in the compiler's own vectors: 32 bytes each with AVX2, else 16.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace {

#if defined(__AVX2__)
inline constexpr std::size_t kWidestUnit = 32;
#else
inline constexpr std::size_t kWidestUnit = 16;
#endif

template <std::size_t kBytes>
struct Bits {
  static constexpr std::size_t kUnit = kBytes < kWidestUnit ? kBytes : kWidestUnit;
  static constexpr std::size_t kUnits = kBytes / kUnit;
  typedef std::uint64_t Unit __attribute__((vector_size(kUnit)));
  Unit unit[kUnits];

  static Bits load(const std::byte* p) {
    Bits v;
    for (std::size_t i = 0; i < kUnits; ++i) std::memcpy(&v.unit[i], p + i * kUnit, kUnit);
    return v;
  }
  static Bits repeat(std::uint64_t word) {
    Bits v;
    for (std::size_t i = 0; i < kUnits; ++i) v.unit[i] = Unit{} + word;
    return v;
  }
  void store(std::byte* p) const {
    for (std::size_t i = 0; i < kUnits; ++i) std::memcpy(p + i * kUnit, &unit[i], kUnit);
  }
};

// x ^ (y & z)
template <std::size_t kBytes>
Bits<kBytes> xor_and(Bits<kBytes> x, const Bits<kBytes>& y, const Bits<kBytes>& z) {
  for (std::size_t i = 0; i < Bits<kBytes>::kUnits; ++i) x.unit[i] ^= y.unit[i] & z.unit[i];
  return x;
}

}  // namespace
