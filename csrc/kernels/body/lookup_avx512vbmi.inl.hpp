// Blocks of trees in registers: a row's bytes are looked up for 64 nodes at once, and so are their
// successors.
#include <immintrin.h>

#include <cstring>

#include "kernels/lookup.hpp"

namespace shortlist {
namespace {

inline __m512i load64(const void* from) noexcept { return _mm512_load_si512(from); }

template <bool Wide>
struct RowRegisters {
  __m512i parts[Wide ? 4 : 2];

  explicit RowRegisters(const std::uint8_t* bytes) noexcept {
    for (std::size_t i = 0; i < (Wide ? 4 : 2); ++i) parts[i] = load64(bytes + i * 64);
  }
  [[nodiscard]] inline __m512i look_up(__m512i columns) const noexcept {
    const __m512i low = _mm512_permutex2var_epi8(parts[0], columns, parts[1]);
    if constexpr (!Wide)
      return low;
    else {
      const __m512i high = _mm512_permutex2var_epi8(parts[2], columns, parts[3]);
      return _mm512_mask_mov_epi8(low, _mm512_movepi8_mask(columns), high);
    }
  }
};

// The numbers kBlockNodes, kBlockNodes + 1, ...: an exit leads to itself.
inline __m512i exits_themselves() noexcept {
  alignas(64) std::uint8_t numbers[kBlockNodes];
  for (std::size_t i = 0; i < kBlockNodes; ++i) numbers[i] = static_cast<std::uint8_t>(kBlockNodes + i);
  return load64(numbers);
}

// Blocks one after another, each with Roots roots.
template <std::uint32_t Roots>
struct InOrder {
  static constexpr std::uint32_t kRoots = Roots;
  std::size_t first;
  __m512i roots;  // brought to the lowest bytes

  explicit InOrder(std::size_t first_block) noexcept : first(first_block) {
    alignas(64) std::uint8_t numbers[kBlockNodes] = {};
    for (std::uint32_t r = 0; r < Roots; ++r) numbers[r] = static_cast<std::uint8_t>(r * kBlockNodes / Roots);
    roots = load64(numbers);
  }
  [[nodiscard]] std::size_t block(std::size_t i) const noexcept { return first + i; }
  [[nodiscard]] __m512i lowest(__m512i next, std::size_t) const noexcept {
    return Roots == 1 ? next : _mm512_permutexvar_epi8(roots, next);
  }
};

// One root each.
struct Listed {
  static constexpr std::uint32_t kRoots = 1;
  const std::uint32_t* roots;

  [[nodiscard]] std::size_t block(std::size_t i) const noexcept { return roots[i] / kBlockNodes; }
  [[nodiscard]] __m512i lowest(__m512i next, std::size_t i) const noexcept {
    const auto node = static_cast<int>(roots[i] % kBlockNodes);
    return _mm512_permutexvar_epi8(_mm512_castsi128_si512(_mm_cvtsi32_si128(node)), next);
  }
};

inline __mmask64 outside_sets_of(const LookupRow& row, std::size_t block) noexcept {
  std::uint64_t outside = 0;
  for (std::size_t s = 0; s < row.n_sets; ++s) outside |= row.outside[s][block];
  return outside;
}

template <std::uint32_t Doublings, bool Wide, bool Sets, class Roots>
inline void run_blocks(const TreeBlock* blocks, std::size_t n, const LookupRow& row, std::uint8_t* exits,
                       const Roots& roots) noexcept {
  const RowRegisters<Wide> bytes(row.bytes);
  const __m512i themselves = exits_themselves();
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t index = roots.block(i);
    const TreeBlock& block = blocks[index];
    const __m512i asked = bytes.look_up(load64(block.column));
    __mmask64 right = _mm512_cmpgt_epu8_mask(asked, load64(block.limit));
    if constexpr (Sets) right |= outside_sets_of(row, index);
    __m512i next = _mm512_mask_mov_epi8(load64(block.left), right, load64(block.right));
#pragma GCC unroll 5
    for (std::uint32_t d = 0; d < Doublings; ++d) next = _mm512_permutex2var_epi8(next, next, themselves);
    const int lowest = _mm_cvtsi128_si32(_mm512_castsi512_si128(roots.lowest(next, i)));
    std::memcpy(exits + i * Roots::kRoots, &lowest, sizeof lowest);
  }
}

template <bool Wide, bool Sets, class Roots>
inline void run_doublings(const TreeBlock* blocks, std::size_t n, std::uint32_t doublings,
                          const LookupRow& row, std::uint8_t* exits, const Roots& roots) noexcept {
  switch (doublings) {
    case 2:
      return run_blocks<2, Wide, Sets>(blocks, n, row, exits, roots);
    case 3:
      return run_blocks<3, Wide, Sets>(blocks, n, row, exits, roots);
    case 4:
      return run_blocks<4, Wide, Sets>(blocks, n, row, exits, roots);
    default:
      return run_blocks<5, Wide, Sets>(blocks, n, row, exits, roots);
  }
}

template <class Roots>
inline void run(const TreeBlock* blocks, std::size_t n, const BlockShape& shape, const LookupRow& row,
                std::uint8_t* exits, const Roots& roots) noexcept {
  const std::uint32_t doublings = shape.doublings;
  if (shape.wide) {
    if (row.n_sets != 0) return run_doublings<true, true>(blocks, n, doublings, row, exits, roots);
    return run_doublings<true, false>(blocks, n, doublings, row, exits, roots);
  }
  if (row.n_sets != 0) return run_doublings<false, true>(blocks, n, doublings, row, exits, roots);
  return run_doublings<false, false>(blocks, n, doublings, row, exits, roots);
}

void exits_in_registers(const TreeBlock* blocks, std::size_t first, std::size_t n, const BlockShape& shape,
                        const LookupRow& row, std::uint8_t* exits) noexcept {
  switch (shape.n_roots) {
    case 4:
      return run(blocks, n, shape, row, exits, InOrder<4>(first));
    case 2:
      return run(blocks, n, shape, row, exits, InOrder<2>(first));
    default:
      return run(blocks, n, shape, row, exits, InOrder<1>(first));
  }
}

void exits_of_in_registers(const TreeBlock* blocks, const std::uint32_t* roots, std::size_t n,
                           const BlockShape& shape, const LookupRow& row, std::uint8_t* exits) noexcept {
  run(blocks, n, shape, row, exits, Listed{roots});
}

void codes_in_registers(const LevelBlock* levels, std::size_t first, std::size_t n_levels,
                        const LookupRow& row, std::uint8_t* codes) noexcept {
  const RowRegisters<true> bytes(row.bytes);
  __m512i code = _mm512_setzero_si512();
  for (std::size_t l = 0; l < n_levels; ++l) {
    const LevelBlock& level = levels[first + l];
    const __m512i asked = bytes.look_up(load64(level.column));
    const __mmask64 right =
        _mm512_cmpgt_epu8_mask(asked, load64(level.limit)) | outside_sets_of(row, first + l);
    code = _mm512_mask_add_epi8(code, right, code, _mm512_set1_epi8(static_cast<char>(1u << l)));
  }
  _mm512_storeu_si512(codes, code);
}

constexpr LookupKernels lookup_in_registers() noexcept {
  return {true, exits_in_registers, exits_of_in_registers, codes_in_registers, encode<float>, encode<double>};
}

}  // namespace
}  // namespace shortlist
