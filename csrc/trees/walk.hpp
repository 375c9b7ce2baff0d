// From ranks to sums of leaves: eight walks side by side, without a branch on what a node decides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "trees/node.hpp"

namespace shortlist::trees {

struct Tree {
  std::uint32_t root;
  std::uint32_t depth;         // steps to its deepest leaf
  std::uint32_t first_bitset;  // of its categorical nodes
  bool categorical;
};

// A view of the forest's arrays; forest.cpp has checked that no index leaves them.
struct WalkArrays {
  std::span<const Tree> trees;
  const Node* nodes;
  const double* values;                 // of node i where it is a leaf
  const std::uint32_t* bitset_offsets;  // bitset b is words [b] .. [b + 1]
  const std::uint32_t* bitset_words;    // a set bit goes left; one more word than is used
  std::size_t n_outputs;                // tree t adds to output t % n_outputs
  std::size_t n_views;
};

// Sums, tree after tree, into out[n x n_outputs], which it sets to 0 first. `ranks` as Quantiser::ranks
// writes it.
void add_leaves(const WalkArrays& forest, const std::uint16_t* ranks, std::size_t n, double* out) noexcept;

}  // namespace shortlist::trees
