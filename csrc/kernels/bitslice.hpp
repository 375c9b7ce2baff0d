// Bit planes to predicates, and planes of codes to leaves. kernels/logic.hpp says what a vector is.
#pragma once

#include <cstddef>
#include <cstdint>

namespace shortlist {

// A column of a block of rows: plane j has bit j of each row's rank or code.
struct RankPlanes {
  const std::byte* planes;
  std::size_t n_planes;
};

// Which rows have a rank above each of some ranks.
struct RankPredicates {
  RankPlanes ranks;
  const std::byte* missing;    // rows that are missing, or null where none counts as such
  std::uint32_t held_below;    // predicates of ranks below this one hold for missing rows, others do not
  const std::uint16_t* above;  // ascending
  std::size_t n;
  std::byte* out;  // n vectors
};

// Which rows have a code outside each of some sets.
struct SetPredicates {
  RankPlanes codes;
  std::size_t n_codes;  // no row has a code from here on
  const std::uint32_t* words;
  const std::uint32_t*
      begins;  // set i is bits of words[begins[i]] up to words[ends[i]]; codes behind are out
  const std::uint32_t* ends;
  std::size_t n;
  std::byte* out;  // n vectors
};

// The same sets by their codes: which sets a code is outside of.
struct SetRows {
  const std::byte*
      by_code;         // by code, `stride` apart: bit i % 8 of byte i / 8 is set where it is outside set i
  std::size_t stride;  // bytes, a multiple of 64
  const std::uint16_t* codes;  // of every row of the block
  std::size_t n;
  std::byte* out;  // n vectors
};

// The values of a tree's leaves, by code.
inline constexpr std::size_t kMaxPlanesInRegisters = 8;
struct LeafTable {
  const std::byte* const* planes;  // of the code, lowest bit first
  std::size_t n_planes;
  // 2^n_planes values, at least 16. Where `halves` (LeafKernels) doubles are two such tables of 32 bits, the
  // lower halves first, up to kMaxPlanesInRegisters planes.
  const void* values;
};

struct BitsliceKernels {
  void (*ranks_above)(const RankPredicates& predicates) noexcept;
  void (*outside_sets)(const SetPredicates& predicates) noexcept;
  // What outside_sets() does, in a time that does not grow with the number of codes; null where that is
  // slower.
  void (*outside_sets_by_code)(const SetRows& sets) noexcept;
  // codes[row] for each row of the block; at most 16 planes.
  void (*codes)(const std::byte* const* planes, std::size_t n_planes, std::uint16_t* codes) noexcept;
  // sums[place] += value of the row's leaf
  void (*add_doubles)(const LeafTable& leaves, double* sums) noexcept;
  void (*add_floats)(const LeafTable& leaves, float* sums) noexcept;
  bool halves;
  // Where in each 16 doubles of `sums` a row of these 16 is.
  const std::uint8_t* places_of_doubles;
};

// For blocks of narrow and of wide vectors.
struct BlockKernels {
  BitsliceKernels narrow, wide;
};

}  // namespace shortlist
