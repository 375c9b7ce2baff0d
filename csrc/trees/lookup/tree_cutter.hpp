// Cuts binary trees into blocks of nodes that hang together, the most likely ways down first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/lookup.hpp"
#include "trees/lookup/row_encoder.hpp"

namespace shortlist::trees {

// Where the exits of a block lead: the first n_children to children first_child, first_child + 1, ..., the
// others to places first_place, first_place + 1, ... of leaves.
struct BlockExits {
  std::uint32_t first_child, n_children, first_place;
};

// A node that asks for a set: it is no comparison, but an entry of a table by block and code.
struct SetNode {
  std::uint32_t set;     // of the encoder
  std::uint32_t bitset;  // counted over the forest
  std::uint32_t block;
  std::uint32_t node;
};

// Those of one segment.
struct TreeBlocks {
  // One whose nodes lead out of it, so that a root without a tree does too.
  void add_block();

  std::vector<TreeBlock> blocks;
  std::vector<BlockExits> exits;        // by block; of no use where a block has several trees
  std::vector<std::uint32_t> children;  // as LookupKernels::exits_of takes them
  std::vector<SetNode> set_nodes;
  std::uint32_t first_place = 0;
  std::vector<std::uint32_t> leaf_of_place;  // from first_place on; leaves are counted over the forest
};

// What a tree looks like from here; node numbers count from its root.
struct BinaryTree {
  std::span<const std::uint64_t> nodes;  // as ForestArrays::nodes
  std::uint32_t root;                    // what `left` counts from
  std::uint32_t first_leaf;
  std::uint32_t first_bitset;
};

// How many of a segment's trees lie in a block: several where all of them are small.
[[nodiscard]] std::uint32_t roots_per_block(std::span<const BinaryTree> trees);

class TreeCutter {
 public:
  // views: the kinds of the segment's views.
  TreeCutter(const RowEncoder& encoder, std::span<const std::uint8_t> views, TreeBlocks& made)
      : encoder_(encoder), views_(views), made_(made) {}

  // One of several trees in a block, its root at node `first`: its leaves are exits first, first + 1, ...
  void place(const BinaryTree& tree, std::uint32_t block, std::uint32_t first);
  // A tree with its root in a block of its own; blocks of what does not fit there are appended.
  void cut(const BinaryTree& tree, std::uint32_t block);
  // What BlockShape says of the longest way through a block.
  [[nodiscard]] std::uint32_t doublings() const noexcept;

 private:
  // A part of a tree that is reached from another block.
  struct Top {
    std::uint32_t node;
    std::uint32_t child;  // the place in children
  };
  void weigh(const BinaryTree& tree);
  void pick(const BinaryTree& tree, std::uint32_t top, std::size_t most, std::uint32_t max_steps);
  void pick_all(const BinaryTree& tree, std::uint32_t top, std::uint32_t max_steps);
  void pick_heaviest(const BinaryTree& tree, std::uint32_t top, std::size_t most, std::uint32_t max_steps);
  void take(std::uint32_t node, std::uint32_t top);
  [[nodiscard]] std::uint64_t weight(std::uint32_t node) const noexcept;
  void write(const BinaryTree& tree, std::uint32_t block, std::uint32_t first_exit);

  const RowEncoder& encoder_;
  std::span<const std::uint8_t> views_;
  TreeBlocks& made_;
  std::vector<std::uint32_t> n_leaves_;  // below each node of the tree
  std::vector<std::uint32_t> depth_;
  std::vector<std::uint32_t> leaf_at_;   // the leaf of each node that is one
  std::vector<std::uint8_t> picked_at_;  // the place of a node in its block, or kNone
  std::vector<std::uint32_t> picked_;    // nodes of the block at hand, by place
  std::vector<std::uint32_t> frontier_;
  std::vector<std::uint64_t> heaviest_;
  std::vector<Top> tops_;
  std::uint32_t n_steps_ = 0;  // of the longest way through a block
};

}  // namespace shortlist::trees
