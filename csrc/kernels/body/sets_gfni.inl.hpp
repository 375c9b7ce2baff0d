// Predicates of sets by transposition: the bits that each row's code has, eight by eight.
//
// A bit's place has three digits of base 8 for its row (block, group, row) and three for its set (word, byte,
// bit). In registers the digits trade places until a set's rows lie side by side.
#include <immintrin.h>

#include "kernels/bitslice.hpp"
#include "kernels/logic.hpp"

namespace shortlist {
namespace {

// Word i of register j becomes word j of register i.
inline void transpose_words(__m512i* r) noexcept {
  __m512i a[8], b[8];
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    a[i] = _mm512_unpacklo_epi64(r[i], r[i + 1]);
    a[i + 1] = _mm512_unpackhi_epi64(r[i], r[i + 1]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j) {
      b[i + j] = _mm512_shuffle_i64x2(a[i + j], a[i + j + 2], 0x88);      // words j, j + 4 of four registers
      b[i + j + 2] = _mm512_shuffle_i64x2(a[i + j], a[i + j + 2], 0xdd);  // words j + 2, j + 6
    }
  }
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    r[j] = _mm512_shuffle_i64x2(b[j], b[j + 4], 0x88);
    r[j + 4] = _mm512_shuffle_i64x2(b[j], b[j + 4], 0xdd);
  }
}

// Byte i of word j becomes byte j of word i, or 7 - j where `reversed`.
template <bool reversed>
inline __m512i transpose_bytes(__m512i words) noexcept {
  alignas(64) std::uint8_t from[64];
  for (int i = 0; i < 64; ++i)
    from[i] = static_cast<std::uint8_t>((reversed ? 7 - i % 8 : i % 8) * 8 + i / 8);
  return _mm512_permutexvar_epi8(_mm512_load_si512(from), words);
}

// Bit i of byte 7 - j of each word becomes bit j of byte i.
inline __m512i transpose_bits(__m512i words) noexcept {
  return _mm512_gf2p8affine_epi64_epi8(_mm512_set1_epi64(static_cast<long long>(0x8040201008040201ULL)),
                                       words, 0);
}

template <std::size_t Bytes>
void outside_sets_by_code(const SetRows& sets) noexcept {
  constexpr std::size_t kBlocks = Bytes / 8;        // of 64 rows
  alignas(64) std::byte groups[8 * 8 * 64];         // by group and word
  alignas(64) std::byte blocks[kBlocks * 64 * 64];  // by block, word and byte
  for (std::size_t first = 0; first < sets.n; first += 512) {
    for (std::size_t block = 0; block < kBlocks; ++block) {
      for (std::size_t group = 0; group < 8; ++group) {
        __m512i r[8];
        for (std::size_t row = 0; row < 8; ++row) {
          const std::size_t code = sets.codes[block * 64 + group * 8 + row];
          r[row] = _mm512_loadu_si512(sets.by_code + code * sets.stride + first / 8);
        }
        transpose_words(r);
        for (std::size_t word = 0; word < 8; ++word)
          _mm512_store_si512(groups + (group * 8 + word) * 64,
                             transpose_bits(transpose_bytes<true>(r[word])));
      }
      for (std::size_t word = 0; word < 8; ++word) {
        __m512i r[8];
        for (std::size_t group = 0; group < 8; ++group)
          r[group] = _mm512_load_si512(groups + (group * 8 + word) * 64);
        transpose_words(r);
        for (std::size_t byte = 0; byte < 8; ++byte)
          _mm512_store_si512(blocks + (block * 64 + word * 8 + byte) * 64, transpose_bytes<false>(r[byte]));
      }
    }
    for (std::size_t byte = 0; byte < 64 && first + byte * 8 < sets.n; ++byte) {
      __m512i r[8];
      for (std::size_t block = 0; block < kBlocks; ++block)
        r[block] = _mm512_load_si512(blocks + (block * 64 + byte) * 64);
      for (std::size_t block = kBlocks; block < 8; ++block) r[block] = _mm512_setzero_si512();
      transpose_words(r);
      const std::size_t left = sets.n - (first + byte * 8);
      for (std::size_t bit = 0; bit < (left < 8 ? left : 8); ++bit) {
        std::byte* const out = sets.out + (first + byte * 8 + bit) * Bytes;
        if constexpr (Bytes == 64) {
          _mm512_storeu_si512(out, r[bit]);
        } else {
          _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm512_castsi512_si128(r[bit]));
        }
      }
    }
  }
}

}  // namespace
}  // namespace shortlist
