// One row against whole trees: all nodes of a block decided at once, then the way from the root by doubling
// steps.
#pragma once

#include <cstddef>
#include <cstdint>

namespace shortlist {

inline constexpr std::size_t kBlockNodes = 64;
inline constexpr std::size_t kRowBytes = 256;

// Up to kBlockNodes nodes, of one tree or of several. A node whose view asks for sets has limit 255.
struct alignas(64) TreeBlock {
  std::uint8_t column[kBlockNodes];  // which byte of the row a node compares
  std::uint8_t limit[kBlockNodes];   // it goes right where the byte is above
  std::uint8_t left[kBlockNodes];    // the next node, or kBlockNodes + an exit of the block
  std::uint8_t right[kBlockNodes];
};

// One level of kBlockNodes oblivious trees.
struct alignas(64) LevelBlock {
  std::uint8_t column[kBlockNodes];
  std::uint8_t limit[kBlockNodes];
};

// What all blocks of a forest share.
struct BlockShape {
  std::uint32_t
      doublings;          // 2^doublings steps lead from every root to an exit; kMinDoublings to kMaxDoublings
  std::uint32_t n_roots;  // 1, 2 or 4: at nodes 0, kBlockNodes / n_roots, ...
  bool wide;              // some column is 128 or more
};
inline constexpr std::uint32_t kMinDoublings = 2;
inline constexpr std::uint32_t kMaxDoublings = 5;

struct LookupRow {
  const std::uint8_t* bytes;  // kRowBytes, aligned to 64 bytes
  // For each view of sets, by block: the nodes whose set does not have the row's code.
  const std::uint64_t* const* outside;
  std::size_t n_sets;
};

// The thresholds of a column, S float or double, in pages of 256: 16 pivots, the last of each 16 thresholds,
// then these, padded with +inf, which nothing exceeds; the last page has at least one of these.
template <class S>
struct ThresholdPages {
  const S* tops;   // the last threshold of each page but the last, ascending
  const S* pages;  // aligned to 64 bytes
  std::uint32_t n_pages;
};
inline constexpr std::size_t kPageThresholds = 256;
inline constexpr std::size_t kPageNumbers = 16 + kPageThresholds;

// How numbers become a row's bytes: byte b is how far the rank of its column is above a base, at most 255. A
// rank is how many thresholds are below the number; one that is missing gets another.
inline constexpr std::uint32_t kMissingNan = 1u << 16;   // x != x
inline constexpr std::uint32_t kMissingZero = 1u << 17;  // x != x or |x| <= 1e-35f
inline constexpr std::size_t kRowStep = 16;
template <class S>
struct RowTables {
  const ThresholdPages<S>* columns;
  std::size_t n_columns;
  // Of each byte; arrays of a multiple of kRowStep, to which bytes are written.
  const std::uint32_t* column;
  const std::uint32_t* missing;       // kMissingNan or kMissingZero
  const std::uint32_t* missing_rank;  // at most 65535
  const std::uint32_t* base;
  std::size_t n_bytes;
};

struct LookupKernels {
  bool in_registers;  // else the functions are there, but no faster than a walk
  // exits[i * n_roots + r]: where root r of block first + i leads. Writes up to 3 bytes more.
  void (*exits)(const TreeBlock* blocks, std::size_t first, std::size_t n, const BlockShape& shape,
                const LookupRow& row, std::uint8_t* exits) noexcept;
  // exits[i]: where node roots[i] % kBlockNodes of block roots[i] / kBlockNodes leads. Writes up to 3 bytes
  // more.
  void (*exits_of)(const TreeBlock* blocks, const std::uint32_t* roots, std::size_t n,
                   const BlockShape& shape, const LookupRow& row, std::uint8_t* exits) noexcept;
  // codes[t]: bit l tells how tree t decides on level l. n_levels <= 8; the levels are blocks first,
  // first + 1, ...; `codes` has kBlockNodes bytes.
  void (*codes)(const LevelBlock* levels, std::size_t first, std::size_t n_levels, const LookupRow& row,
                std::uint8_t* codes) noexcept;
  // numbers: one for each column. bytes: n_bytes, up to the next multiple of kRowStep.
  void (*encode32)(const float* numbers, const RowTables<float>& tables, std::uint8_t* bytes) noexcept;
  void (*encode64)(const double* numbers, const RowTables<double>& tables, std::uint8_t* bytes) noexcept;
};

}  // namespace shortlist
