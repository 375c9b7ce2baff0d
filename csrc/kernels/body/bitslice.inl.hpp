// Predicates and codes for blocks of rows, over vectors of the compiler: any instruction set.
//
// Included into one file for each instruction set, after its flags.
#include <cstring>

#include "kernels/bitslice.hpp"
#include "kernels/logic.hpp"

namespace shortlist {
namespace {

template <std::size_t Bytes>
struct Block {
  typedef std::uint64_t Vector __attribute__((vector_size(Bytes)));
  static constexpr std::size_t kRows = Bytes * 8;

  static inline void load(const std::byte* from, std::size_t index, Vector& to) noexcept {
    std::memcpy(&to, from + index * Bytes, Bytes);
  }
  static inline void store(const Vector& from, std::byte* to, std::size_t index) noexcept {
    std::memcpy(to + index * Bytes, &from, Bytes);
  }
};

// Whether the planes from `first` on, as a number, are above `value`, and whether they equal it.
template <std::size_t Bytes>
inline void compare(const RankPlanes& ranks, std::size_t first, std::uint32_t value,
                    typename Block<Bytes>::Vector& above, typename Block<Bytes>::Vector& equal) noexcept {
  using B = Block<Bytes>;
  const typename B::Vector none = {};
  above = none;
  equal = ~none;
  const std::size_t n = ranks.n_planes > first ? ranks.n_planes - first : 0;
  if ((value >> n) != 0) equal = none;
  for (std::size_t i = n; i-- > 0;) {
    typename B::Vector plane;
    B::load(ranks.planes, first + i, plane);
    if ((value >> i & 1u) != 0) {
      equal &= plane;
    } else {
      above |= equal & plane;
      equal &= ~plane;
    }
  }
}

template <std::size_t Bytes>
void ranks_above(const RankPredicates& predicates) noexcept {
  using B = Block<Bytes>;
  using Vector = typename B::Vector;
  // low[v]: the lowest four planes, as a number, are above v.
  Vector low[16];
  const RankPlanes lowest{predicates.ranks.planes,
                          predicates.ranks.n_planes < 4 ? predicates.ranks.n_planes : 4};
  for (std::uint32_t value = 0; value < 16; ++value) {
    Vector unused;
    compare<Bytes>(lowest, 0, value, low[value], unused);
  }
  Vector missing = {};
  if (predicates.missing != nullptr) B::load(predicates.missing, 0, missing);
  const Vector present = ~missing;

  std::size_t i = 0;
  while (i < predicates.n) {
    const std::uint32_t top = predicates.above[i] / 16u;
    Vector above, equal;
    compare<Bytes>(predicates.ranks, 4, top, above, equal);
    above &= present;
    equal &= present;
    const Vector above_or_missing = above | missing;
    for (; i < predicates.n && predicates.above[i] / 16u == top; ++i) {
      const bool holds = predicates.above[i] < predicates.held_below;
      const Vector held = (holds ? above_or_missing : above) | (equal & low[predicates.above[i] % 16u]);
      B::store(held, predicates.out, i);
    }
  }
}

template <std::size_t Bytes>
void outside_sets(const SetPredicates& predicates) noexcept {
  using B = Block<Bytes>;
  using Vector = typename B::Vector;
  const Vector none = {};
  // of[t]: the lowest three planes, as a number, are a set bit of t.
  alignas(64) std::byte of[256 * Bytes];
  const RankPlanes lowest{predicates.codes.planes,
                          predicates.codes.n_planes < 3 ? predicates.codes.n_planes : 3};
  B::store(none, of, 0);
  for (std::uint32_t code = 0; code < 8; ++code) {
    Vector unused, equal;
    compare<Bytes>(lowest, 0, code, unused, equal);
    for (std::uint32_t t = 0; t < 1u << code; ++t) {
      Vector smaller;
      B::load(of, t, smaller);
      B::store(smaller | equal, of, t | 1u << code);
    }
  }

  for (std::size_t i = 0; i < predicates.n; ++i) B::store(none, predicates.out, i);
  for (std::uint32_t group = 0; group * 8u < predicates.n_codes; ++group) {
    Vector unused, equal;
    compare<Bytes>(predicates.codes, 3, group, unused, equal);
    for (std::size_t i = 0; i < predicates.n; ++i) {
      const std::uint32_t word = predicates.begins[i] + group / 4u;
      const std::uint32_t inside =
          word < predicates.ends[i] ? predicates.words[word] >> (group % 4u * 8u) & 0xffu : 0;
      if (inside == 0xff) continue;
      Vector outside, held;
      B::load(of, 255u - inside, outside);
      B::load(predicates.out, i, held);
      B::store(held | (equal & outside), predicates.out, i);
    }
  }
}

// Bit i of byte j becomes bit j of byte i.
inline std::uint64_t transposed(std::uint64_t bits) noexcept {
  std::uint64_t swap = (bits ^ bits >> 7) & 0x00aa00aa00aa00aaULL;
  bits ^= swap ^ swap << 7;
  swap = (bits ^ bits >> 14) & 0x0000cccc0000ccccULL;
  bits ^= swap ^ swap << 14;
  swap = (bits ^ bits >> 28) & 0x00000000f0f0f0f0ULL;
  return bits ^ swap ^ swap << 28;
}

template <std::size_t Bytes>
void codes(const std::byte* const* planes, std::size_t n_planes, std::uint16_t* codes) noexcept {
  for (std::size_t byte = 0; byte < Bytes; ++byte) {
    std::uint64_t halves[2] = {};
    for (std::size_t plane = 0; plane < n_planes; ++plane)
      halves[plane / 8] |= std::uint64_t{static_cast<std::uint8_t>(planes[plane][byte])} << plane % 8 * 8;
    const std::uint64_t low = transposed(halves[0]);
    const std::uint64_t high = n_planes > 8 ? transposed(halves[1]) : 0;
    for (std::size_t row = 0; row < 8; ++row) {
      codes[byte * 8 + row] =
          static_cast<std::uint16_t>((low >> row * 8 & 0xff) | (high >> row * 8 & 0xff) << 8);
    }
  }
}

template <std::size_t Bytes, class Sum>
void add_leaves(const LeafTable& leaves, Sum* sums) noexcept {
  constexpr std::size_t kRows = Block<Bytes>::kRows;
  std::uint16_t code[kRows];
  codes<Bytes>(leaves.planes, leaves.n_planes, code);
  const Sum* const values = static_cast<const Sum*>(leaves.values);
  for (std::size_t row = 0; row < kRows; ++row) sums[row] += values[code[row]];
}

constexpr std::uint8_t kInOrder[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

template <std::size_t Bytes>
constexpr BitsliceKernels bitslice_kernels() noexcept {
  return {ranks_above<Bytes>,        outside_sets<Bytes>,      nullptr, codes<Bytes>,
          add_leaves<Bytes, double>, add_leaves<Bytes, float>, false,   kInOrder};
}

}  // namespace
}  // namespace shortlist
