// From ranks to leaves: eight walks side by side, without a branch on what a node decides.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "trees/node.hpp"

namespace shortlist::trees {

struct Tree {
  std::uint32_t root;
  std::uint32_t depth;         // steps to its deepest leaf
  std::uint32_t first_bitset;  // of the nodes that ask for sets
  std::uint32_t first_leaf;
  std::uint32_t output;  // which sum its leaves add to
  bool categorical;      // some node asks for a set
};

// A view of the forest's arrays; check_forest() has seen to it that no index leaves them.
struct WalkArrays {
  std::span<const Tree> trees;  // of one segment
  const Node* nodes;
  const std::uint32_t* bitset_offsets;  // bitset b is words [b] .. [b + 1]
  const std::uint32_t* bitset_words;    // a set bit goes left; one more word than is used
  std::size_t n_views;
};

namespace walking {

inline constexpr std::size_t kLanes = kGroupRows;
// Steps between two looks whether every walk has reached its leaf: trees are much deeper than their usual
// path.
inline constexpr std::uint32_t kSteps = 2;

// Keeps the compiler from loading a node's fields ahead for every lane, which spills registers to memory.
inline void pin(std::size_t& at) noexcept { asm("" : "+r"(at)); }

// Rows of one group through one tree, or one row through several trees.
enum class Lanes { rows, trees };

template <Lanes kind>
constexpr std::size_t rank_offset(std::size_t lane) noexcept {
  return kind == Lanes::rows ? lane : 0;
}

template <Lanes kind>
inline void numeric_step(const Node* nodes, const std::uint16_t* ranks, std::size_t* at) noexcept {
#pragma GCC unroll 8
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const Node& node = nodes[at[lane]];
    const std::uint16_t rank = ranks[std::size_t{node.slot} * (kGroupRows / 2) + rank_offset<kind>(lane)];
    at[lane] = std::size_t{node.left} + (rank > node.rank ? 1u : 0u);
    pin(at[lane]);
  }
}

template <Lanes kind>
inline void general_step(const WalkArrays& forest, const std::uint32_t* first_bitset,
                         const std::uint16_t* ranks, std::size_t* at) noexcept {
#pragma GCC unroll 8
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const Node& node = forest.nodes[at[lane]];
    const std::uint32_t categorical = 0u - (node.slot & 1u);  // all bits or none
    const std::uint16_t rank =
        ranks[std::size_t{node.slot & ~1u} * (kGroupRows / 2) + rank_offset<kind>(lane)];
    // A node that is not categorical reads the tree's first bitset and ignores it.
    const std::uint32_t* offset = forest.bitset_offsets + first_bitset[lane] + (node.rank & categorical);
    const std::uint32_t word = rank / 32u;
    const std::uint32_t inside = 0u - static_cast<std::uint32_t>(word < offset[1] - offset[0]);
    const std::uint32_t bits = forest.bitset_words[offset[0] + (word & inside)];
    const std::uint32_t outside_set = ~((bits & inside) >> (rank % 32u)) & 1u;
    const std::uint32_t above = rank > node.rank ? 1u : 0u;
    at[lane] = std::size_t{node.left} + ((outside_set & categorical) | (above & ~categorical));
    pin(at[lane]);
  }
}

inline bool all_at_leaves(const Node* nodes, const std::size_t* at) noexcept {
  std::uint32_t least = kLeafRank;
#pragma GCC unroll 8
  for (std::size_t lane = 0; lane < kLanes; ++lane) least &= nodes[at[lane]].rank;
  return least == kLeafRank;
}

template <Lanes kind>
inline void walk(const WalkArrays& forest, std::uint32_t depth, const std::uint16_t* ranks,
                 std::size_t* at) noexcept {
  for (std::uint32_t level = 0; level < depth; level += kSteps) {
    for (std::uint32_t step = 0; step < kSteps; ++step) numeric_step<kind>(forest.nodes, ranks, at);
    if (all_at_leaves(forest.nodes, at)) return;
  }
}

template <Lanes kind>
inline void walk_general(const WalkArrays& forest, std::uint32_t depth, const std::uint32_t* first_bitset,
                         const std::uint16_t* ranks, std::size_t* at) noexcept {
  for (std::uint32_t level = 0; level < depth; level += kSteps) {
    for (std::uint32_t step = 0; step < kSteps; ++step) general_step<kind>(forest, first_bitset, ranks, at);
    if (all_at_leaves(forest.nodes, at)) return;
  }
}

// All bits where the row goes right.
inline std::uint32_t goes_right(const WalkArrays& forest, const Tree& tree, const Node& node,
                                std::uint16_t rank) noexcept {
  if ((node.slot & 1u) == 0) return rank > node.rank ? 1u : 0u;
  const std::uint32_t* offset = forest.bitset_offsets + tree.first_bitset + node.rank;
  const std::uint32_t word = rank / 32u;
  const bool inside = word < offset[1] - offset[0];
  return inside ? ~(forest.bitset_words[offset[0] + word] >> (rank % 32u)) & 1u : 1u;
}

// The leaves that Rows rows side by side reach in an oblivious tree, counted over the forest.
template <std::size_t Rows>
inline void oblivious_walk(const WalkArrays& forest, const Tree& tree, const std::uint16_t* ranks,
                           std::size_t* leaves) noexcept {
  std::uint32_t number[Rows] = {};
  for (std::uint32_t level = 0; level < tree.depth; ++level) {
    const Node& node = forest.nodes[tree.root + level];
    const std::uint16_t* view = ranks + std::size_t{node.slot & ~1u} * (kGroupRows / 2);
#pragma GCC unroll 8
    for (std::size_t row = 0; row < Rows; ++row)
      number[row] |= goes_right(forest, tree, node, view[row]) << level;
  }
  for (std::size_t row = 0; row < Rows; ++row) leaves[row] = tree.first_leaf + number[row];
}

// Every tree over all whole groups, then the next: a tree's nodes stay in the first cache meanwhile.
template <class Sink>
void walk_groups(const WalkArrays& forest, const std::uint16_t* ranks, std::size_t n_groups,
                 const Sink& sink) noexcept {
  const std::size_t group_ranks = forest.n_views * kGroupRows;
  for (const Tree& tree : forest.trees) {
    std::uint32_t first_bitset[kLanes];
    std::fill_n(first_bitset, kLanes, tree.first_bitset);
    for (std::size_t group = 0; group < n_groups; ++group) {
      const std::uint16_t* rows = ranks + group * group_ranks;
      std::size_t at[kLanes];
      std::fill_n(at, kLanes, std::size_t{tree.root});
      if (tree.categorical) {
        walk_general<Lanes::rows>(forest, tree.depth, first_bitset, rows, at);
      } else {
        walk<Lanes::rows>(forest, tree.depth, rows, at);
      }
#pragma GCC unroll 8
      for (std::size_t lane = 0; lane < kLanes; ++lane) sink(tree, group * kLanes + lane, at[lane]);
    }
  }
}

// One row: several trees side by side, their leaves still taken in tree order.
template <class Sink>
void walk_row(const WalkArrays& forest, const std::uint16_t* ranks, std::size_t row,
              const Sink& sink) noexcept {
  for (std::size_t first = 0; first < forest.trees.size(); first += kLanes) {
    const std::size_t n = std::min(kLanes, forest.trees.size() - first);
    std::size_t at[kLanes];
    std::uint32_t first_bitset[kLanes];
    std::uint32_t depth = 0;
    bool categorical = false;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const Tree& tree = forest.trees[first + (lane < n ? lane : 0)];
      at[lane] = tree.root;
      first_bitset[lane] = tree.first_bitset;
      depth = std::max(depth, tree.depth);
      categorical |= tree.categorical;
    }
    if (categorical) {
      walk_general<Lanes::trees>(forest, depth, first_bitset, ranks, at);
    } else {
      walk<Lanes::trees>(forest, depth, ranks, at);
    }
    for (std::size_t lane = 0; lane < n; ++lane) sink(forest.trees[first + lane], row, at[lane]);
  }
}

}  // namespace walking

// Calls sink(tree, row, node) with the leaf that each of n rows reaches in each tree, a row's trees in
// order. `ranks` as Quantiser::ranks writes it.
template <class Sink>
void walk_binary(const WalkArrays& forest, const std::uint16_t* ranks, std::size_t n,
                 const Sink& sink) noexcept {
  const std::size_t n_groups = n / kGroupRows;
  walking::walk_groups(forest, ranks, n_groups, sink);
  const std::uint16_t* last = ranks + n_groups * forest.n_views * kGroupRows;
  for (std::size_t row = n_groups * kGroupRows; row < n; ++row)
    walking::walk_row(forest, last + row % kGroupRows, row, sink);
}

// The same for oblivious trees: sink(tree, row, leaf), leaves counted over the forest.
template <class Sink>
void walk_oblivious(const WalkArrays& forest, const std::uint16_t* ranks, std::size_t n,
                    const Sink& sink) noexcept {
  const std::size_t n_groups = n / kGroupRows;
  const std::size_t group_ranks = forest.n_views * kGroupRows;
  std::size_t leaves[kGroupRows];
  for (const Tree& tree : forest.trees) {
    for (std::size_t group = 0; group < n_groups; ++group) {
      walking::oblivious_walk<kGroupRows>(forest, tree, ranks + group * group_ranks, leaves);
      for (std::size_t lane = 0; lane < kGroupRows; ++lane)
        sink(tree, group * kGroupRows + lane, leaves[lane]);
    }
    for (std::size_t row = n_groups * kGroupRows; row < n; ++row) {
      walking::oblivious_walk<1>(forest, tree, ranks + n_groups * group_ranks + row % kGroupRows, leaves);
      sink(tree, row, leaves[0]);
    }
  }
}

}  // namespace shortlist::trees
