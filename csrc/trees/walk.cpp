#include "trees/walk.hpp"

#include <algorithm>

namespace shortlist::trees {
namespace {

constexpr std::size_t kLanes = kGroupRows;
// Steps between two looks whether every walk has reached its leaf: trees are much deeper than their usual
// path.
constexpr std::uint32_t kSteps = 2;

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

// Every tree over all whole groups, then the next: a tree's nodes stay in the first cache meanwhile.
void add_groups(const WalkArrays& forest, const std::uint16_t* ranks, std::size_t n_groups,
                double* out) noexcept {
  const std::size_t group_ranks = forest.n_views * kGroupRows;
  std::size_t output = 0;
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
      double* sums = out + group * kLanes * forest.n_outputs + output;
#pragma GCC unroll 8
      for (std::size_t lane = 0; lane < kLanes; ++lane)
        sums[lane * forest.n_outputs] += forest.values[at[lane]];
    }
    output = output + 1 == forest.n_outputs ? 0 : output + 1;
  }
}

// One row: several trees side by side, their leaves still added in tree order.
void add_row(const WalkArrays& forest, const std::uint16_t* row, double* out) noexcept {
  std::size_t output = 0;
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
      walk_general<Lanes::trees>(forest, depth, first_bitset, row, at);
    } else {
      walk<Lanes::trees>(forest, depth, row, at);
    }
    for (std::size_t lane = 0; lane < n; ++lane) {
      out[output] += forest.values[at[lane]];
      output = output + 1 == forest.n_outputs ? 0 : output + 1;
    }
  }
}

}  // namespace

void add_leaves(const WalkArrays& forest, const std::uint16_t* ranks, std::size_t n, double* out) noexcept {
  std::fill_n(out, n * forest.n_outputs, 0.0);
  const std::size_t n_groups = n / kGroupRows;
  add_groups(forest, ranks, n_groups, out);
  for (std::size_t row = n_groups * kGroupRows; row < n; ++row) {
    const std::uint16_t* first = ranks + n_groups * forest.n_views * kGroupRows + row % kGroupRows;
    add_row(forest, first, out + row * forest.n_outputs);
  }
}

}  // namespace shortlist::trees
