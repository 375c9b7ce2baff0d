// Bits of rows in 64-bit words; bits beyond the last row are zero.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace shortlist {

[[nodiscard]] constexpr std::size_t bitmap_words(std::size_t n_bits) noexcept { return (n_bits + 63) / 64; }

[[nodiscard]] inline bool test_bit(const std::uint64_t* words, std::size_t bit) noexcept {
  return (words[bit / 64] >> (bit % 64) & 1) != 0;
}
inline void set_bit(std::uint64_t* words, std::size_t bit) noexcept {
  words[bit / 64] |= std::uint64_t{1} << (bit % 64);
}
inline void clear_bit(std::uint64_t* words, std::size_t bit) noexcept {
  words[bit / 64] &= ~(std::uint64_t{1} << (bit % 64));
}

// Sets the first n_bits and clears what is left of the last word.
inline void fill_bits(std::span<std::uint64_t> words, std::size_t n_bits) noexcept {
  for (std::uint64_t& word : words) word = ~std::uint64_t{0};
  if (n_bits % 64 != 0) words.back() = (std::uint64_t{1} << (n_bits % 64)) - 1;
}

}  // namespace shortlist
