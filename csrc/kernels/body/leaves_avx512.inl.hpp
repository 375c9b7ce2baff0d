// Leaves of up to 256 by permutes: a tree's table stays in registers for a whole block.
#include <immintrin.h>

#include "kernels/bitslice.hpp"
#include "kernels/body/bitslice.inl.hpp"

namespace shortlist {
namespace {

// The lower five bits of the codes of 64 rows, a byte each.
template <std::size_t Planes>
inline __m512i code_bytes(const std::byte* const* planes, std::size_t first) noexcept {
  __m512i bytes = _mm512_setzero_si512();
#pragma GCC unroll 5
  for (std::size_t plane = 0; plane < (Planes < 5 ? Planes : 5); ++plane) {
    std::uint64_t rows;
    std::memcpy(&rows, planes[plane] + first / 8, sizeof rows);
    bytes = _mm512_mask_add_epi8(bytes, rows, bytes, _mm512_set1_epi8(static_cast<char>(1 << plane)));
  }
  return bytes;
}

inline __mmask16 rows_of(const std::byte* plane, std::size_t first) noexcept {
  std::uint16_t rows;
  std::memcpy(&rows, plane + first / 8, sizeof rows);
  return rows;
}

// 2^Planes numbers of 32 bits, and the one of each of 16 rows.
template <std::size_t Planes>
struct Table {
  static constexpr std::size_t kRegisters = Planes <= 4 ? 1 : std::size_t{1} << (Planes - 4);
  __m512i parts[kRegisters];

  explicit Table(const void* values) noexcept {
    for (std::size_t i = 0; i < kRegisters; ++i)
      parts[i] = _mm512_loadu_si512(static_cast<const std::byte*>(values) + i * 64);
  }

  [[nodiscard]] inline __m512i look_up(__m512i code, const __mmask16* upper) const noexcept {
    if constexpr (Planes <= 4) {
      return _mm512_permutexvar_epi32(code, parts[0]);
    } else {
      __m512i found[kRegisters / 2];
#pragma GCC unroll 8
      for (std::size_t i = 0; i < kRegisters / 2; ++i)
        found[i] = _mm512_permutex2var_epi32(parts[2 * i], code, parts[2 * i + 1]);
#pragma GCC unroll 3
      for (std::size_t bit = 0; bit + 5 < Planes; ++bit) {
#pragma GCC unroll 4
        for (std::size_t i = 0; i < kRegisters / 2 >> (bit + 1); ++i)
          found[i] = _mm512_mask_mov_epi32(found[2 * i], upper[bit], found[2 * i + 1]);
      }
      return found[0];
    }
  }
};

template <std::size_t Planes>
inline void upper_masks(const std::byte* const* planes, std::size_t first, __mmask16* masks) noexcept {
#pragma GCC unroll 3
  for (std::size_t bit = 0; bit + 5 < Planes; ++bit) masks[bit] = rows_of(planes[5 + bit], first);
}

// Calls take(first row, codes without upper bits, upper bits) for each 16 rows of a block.
template <std::size_t Rows, std::size_t Planes, class Take>
inline void each_sixteen(const std::byte* const* planes, const Take& take) noexcept {
  for (std::size_t first = 0; first < Rows; first += 64) {
    alignas(64) std::uint8_t code[64];
    _mm512_store_si512(code, code_bytes<Planes>(planes, first));
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 64; i += 16) {
      __mmask16 upper[3] = {};
      upper_masks<Planes>(planes, first + i, upper);
      take(first + i, _mm512_cvtepu8_epi32(_mm_load_si128(reinterpret_cast<const __m128i*>(code + i))),
           upper);
    }
  }
}

// Adds 16 doubles, given as halves of 32 bits; put together they stand in the order of kPlacesOfDoubles.
inline void add_halves(__m512i low, __m512i high, double* sums) noexcept {
  const __m512d a = _mm512_castsi512_pd(_mm512_unpacklo_epi32(low, high));
  const __m512d b = _mm512_castsi512_pd(_mm512_unpackhi_epi32(low, high));
  _mm512_storeu_pd(sums, _mm512_add_pd(_mm512_loadu_pd(sums), a));
  _mm512_storeu_pd(sums + 8, _mm512_add_pd(_mm512_loadu_pd(sums + 8), b));
}

template <std::size_t Rows, std::size_t Planes>
void add_floats_of(const LeafTable& leaves, float* sums) noexcept {
  const Table<Planes> table(leaves.values);
  each_sixteen<Rows, Planes>(leaves.planes, [&](std::size_t first, __m512i code, const __mmask16* upper) {
    const __m512 found = _mm512_castsi512_ps(table.look_up(code, upper));
    _mm512_storeu_ps(sums + first, _mm512_add_ps(_mm512_loadu_ps(sums + first), found));
  });
}

template <std::size_t Rows, std::size_t Planes>
void add_doubles_of(const LeafTable& leaves, double* sums) noexcept {
  const std::size_t size = std::size_t{4} << (Planes < 4 ? 4 : Planes);
  const Table<Planes> low(leaves.values);
  const Table<Planes> high(static_cast<const std::byte*>(leaves.values) + size);
  each_sixteen<Rows, Planes>(leaves.planes, [&](std::size_t first, __m512i code, const __mmask16* upper) {
    add_halves(low.look_up(code, upper), high.look_up(code, upper), sums + first);
  });
}

// Two passes, as both tables do not fit the registers.
template <std::size_t Rows>
void add_doubles_of_eight(const LeafTable& leaves, double* sums) noexcept {
  alignas(64) std::uint32_t lower_halves[Rows];
  const Table<8> low(leaves.values);
  each_sixteen<Rows, 8>(leaves.planes, [&](std::size_t first, __m512i code, const __mmask16* upper) {
    _mm512_store_si512(lower_halves + first, low.look_up(code, upper));
  });
  const Table<8> high(static_cast<const std::byte*>(leaves.values) + 1024);
  each_sixteen<Rows, 8>(leaves.planes, [&](std::size_t first, __m512i code, const __mmask16* upper) {
    add_halves(_mm512_load_si512(lower_halves + first), high.look_up(code, upper), sums + first);
  });
}

// Two tables interleaved within each 128 bits.
constexpr std::uint8_t kPlacesOfDoubles[16] = {0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15};

template <std::size_t Bytes>
void add_floats_in_registers(const LeafTable& leaves, float* sums) noexcept {
  constexpr std::size_t kRows = Bytes * 8;
  switch (leaves.n_planes) {
    case 5:
      return add_floats_of<kRows, 5>(leaves, sums);
    case 6:
      return add_floats_of<kRows, 6>(leaves, sums);
    case 7:
      return add_floats_of<kRows, 7>(leaves, sums);
    case 8:
      return add_floats_of<kRows, 8>(leaves, sums);
    case 4:
      return add_floats_of<kRows, 4>(leaves, sums);
    case 3:
      return add_floats_of<kRows, 3>(leaves, sums);
    case 2:
      return add_floats_of<kRows, 2>(leaves, sums);
    case 1:
      return add_floats_of<kRows, 1>(leaves, sums);
    case 0:
      return add_floats_of<kRows, 0>(leaves, sums);
    default:
      return add_leaves<Bytes, float>(leaves, sums);
  }
}

// Beyond the registers codes are looked up one by one, and the sums stand in the same order as below it.
template <std::size_t Bytes>
void add_doubles_in_memory(const LeafTable& leaves, double* sums) noexcept {
  constexpr std::size_t kRows = Bytes * 8;
  std::uint16_t code[kRows];
  codes<Bytes>(leaves.planes, leaves.n_planes, code);
  const double* const values = static_cast<const double*>(leaves.values);
  for (std::size_t first = 0; first < kRows; first += 16) {
    for (std::size_t row = 0; row < 16; ++row)
      sums[first + kPlacesOfDoubles[row]] += values[code[first + row]];
  }
}

template <std::size_t Bytes>
void add_doubles_in_registers(const LeafTable& leaves, double* sums) noexcept {
  constexpr std::size_t kRows = Bytes * 8;
  switch (leaves.n_planes) {
    case 5:
      return add_doubles_of<kRows, 5>(leaves, sums);
    case 6:
      return add_doubles_of<kRows, 6>(leaves, sums);
    case 7:
      return add_doubles_of<kRows, 7>(leaves, sums);
    case 8:
      return add_doubles_of_eight<kRows>(leaves, sums);
    case 4:
      return add_doubles_of<kRows, 4>(leaves, sums);
    case 3:
      return add_doubles_of<kRows, 3>(leaves, sums);
    case 2:
      return add_doubles_of<kRows, 2>(leaves, sums);
    case 1:
      return add_doubles_of<kRows, 1>(leaves, sums);
    case 0:
      return add_doubles_of<kRows, 0>(leaves, sums);
    default:
      return add_doubles_in_memory<Bytes>(leaves, sums);
  }
}

template <std::size_t Bytes>
constexpr BitsliceKernels avx512_bitslice_kernels() noexcept {
  return {ranks_above<Bytes>,
          outside_sets<Bytes>,
          nullptr,
          codes<Bytes>,
          add_doubles_in_registers<Bytes>,
          add_floats_in_registers<Bytes>,
          true,
          kPlacesOfDoubles};
}

}  // namespace
}  // namespace shortlist
