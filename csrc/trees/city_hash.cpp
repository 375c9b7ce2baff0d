#include "trees/city_hash.hpp"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <utility>

namespace shortlist::trees {
namespace {

using u64 = std::uint64_t;
constexpr u64 kPrime0 = 0xc3a5c85c97cb3127ULL;
constexpr u64 kPrime1 = 0xb492b66fbe98f273ULL;
constexpr u64 kPrime2 = 0x9ae16a3b2f90404fULL;
constexpr u64 kPrime3 = 0xc949d7c7509e6557ULL;

template <class T>
u64 load(const char* at) noexcept {
  static_assert(std::endian::native == std::endian::little, "big-endian machines are not supported");
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}
u64 word(const char* at) noexcept { return load<u64>(at); }

u64 fold(u64 value) noexcept { return value ^ (value >> 47); }

u64 mix(u64 low, u64 high) noexcept {
  constexpr u64 kMultiplier = 0x9ddfea08eb382d69ULL;
  const u64 first = fold((low ^ high) * kMultiplier);
  return fold((high ^ first) * kMultiplier) * kMultiplier;
}

u64 hash_to_16(const char* s, std::size_t size) noexcept {
  if (size > 8) {
    const u64 last = word(s + size - 8);
    return mix(word(s), std::rotr(last + size, static_cast<int>(size))) ^ last;
  }
  if (size >= 4) return mix(size + (u64{load<std::uint32_t>(s)} << 3), load<std::uint32_t>(s + size - 4));
  if (size == 0) return kPrime2;
  const auto byte = [s](std::size_t i) { return static_cast<u64>(static_cast<unsigned char>(s[i])); };
  const u64 y = byte(0) + (byte(size >> 1) << 8);
  const u64 z = size + (byte(size - 1) << 2);
  return fold(y * kPrime2 ^ z * kPrime3) * kPrime2;
}

u64 hash_to_32(const char* s, std::size_t size) noexcept {
  const u64 a = word(s) * kPrime1;
  const u64 b = word(s + 8);
  const u64 c = word(s + size - 8) * kPrime2;
  const u64 d = word(s + size - 16) * kPrime0;
  return mix(std::rotr(a - b, 43) + std::rotr(c, 30) + d, a + std::rotr(b ^ kPrime3, 20) - c + size);
}

struct Pair {
  u64 first, second;
};

// 32 bytes and two seeds.
Pair weak_hash(const char* s, u64 a, u64 b) noexcept {
  const u64 last = word(s + 24);
  a += word(s);
  b = std::rotr(b + a + last, 21);
  const u64 start = a;
  a += word(s + 8);
  a += word(s + 16);
  b += std::rotr(a, 44);
  return {a + last, b + start};
}

// Half of the hash of 33 to 64 bytes: 32 bytes at s, with the sum and the last word that it begins with.
Pair half_hash(const char* s, u64 a, u64 z) noexcept {
  u64 c = std::rotr(a, 37);
  const u64 b = std::rotr(a + z, 52);
  a += word(s + 8);
  c += std::rotr(a, 7);
  a += word(s + 16);
  return {a + z, b + std::rotr(a, 31) + c};
}

u64 hash_to_64(const char* s, std::size_t size) noexcept {
  const char* const tail = s + size - 32;
  const Pair v = half_hash(s, word(s) + (size + word(s + size - 16)) * kPrime0, word(s + 24));
  const Pair w = half_hash(tail, word(s + 16) + word(tail), word(tail + 24));
  const u64 r = fold((v.first + w.second) * kPrime2 + (w.first + v.second) * kPrime0);
  return fold(r * kPrime0 + v.second) * kPrime2;
}

}  // namespace

u64 city_hash64(std::string_view text) noexcept {
  const char* s = text.data();
  std::size_t size = text.size();
  if (size <= 16) return hash_to_16(s, size);
  if (size <= 32) return hash_to_32(s, size);
  if (size <= 64) return hash_to_64(s, size);

  // The end first, then blocks of 64 bytes.
  u64 x = word(s);
  u64 y = word(s + size - 16) ^ kPrime1;
  u64 z = word(s + size - 56) ^ kPrime0;
  Pair v = weak_hash(s + size - 64, size, y);
  Pair w = weak_hash(s + size - 32, size * kPrime1, kPrime0);
  z += fold(v.second) * kPrime1;
  x = std::rotr(z + x, 39) * kPrime1;
  y = std::rotr(y, 33) * kPrime1;
  for (size = (size - 1) & ~std::size_t{63}; size != 0; size -= 64, s += 64) {
    x = std::rotr(x + y + v.first + word(s + 16), 37) * kPrime1;
    y = std::rotr(y + v.second + word(s + 48), 42) * kPrime1;
    x ^= w.second;
    y ^= v.first;
    z = std::rotr(z ^ w.first, 33);
    v = weak_hash(s, v.second * kPrime1, x + w.first);
    w = weak_hash(s + 32, z + w.second, y);
    std::swap(z, x);
  }
  return mix(mix(v.first, w.first) + fold(y) * kPrime1 + z, mix(v.second, w.second) + x);
}

std::int64_t hash_of_cell(double cell) noexcept {
  if (cell >= kHashedCategories) {
    const double hash = (cell - kHashedCategories) / 2.0;
    return hash < 0x1p32 ? static_cast<std::int64_t>(hash) : kNoCategory;
  }
  if (!(cell > -kHashedCategories) || std::trunc(cell) != cell) return kNoCategory;
  char digits[24];
  const auto [end, error] = std::to_chars(digits, digits + sizeof(digits), static_cast<std::int64_t>(cell));
  return hash_of_text({digits, static_cast<std::size_t>(end - digits)});
}

}  // namespace shortlist::trees
