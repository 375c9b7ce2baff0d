// Nodes of each tree in the order in which they are walked: level by level, siblings side by side.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace shortlist::trees {

// Trees as importers hand them over. Tree t has splits [split_offsets[t], split_offsets[t + 1]), leaves
// alike; a child c >= 0 is split c of the same tree, c < 0 its leaf ~c; the root is split 0, or leaf 0 of a
// tree without splits.
struct LooseTrees {
  std::span<const std::int64_t> split_offsets;  // [n_trees + 1]
  std::span<const std::int64_t> leaf_offsets;   // [n_trees + 1]
  std::span<const std::int64_t> left;           // [n_splits]
  std::span<const std::int64_t> right;          // [n_splits]
  std::span<const std::uint32_t> decisions;     // [n_splits] the lower half of each packed node
};

struct Layout {
  std::vector<std::uint64_t> nodes;       // as ForestArrays::nodes
  std::vector<std::uint32_t> tree_roots;  // [n_trees + 1]
  std::vector<std::int64_t> leaves;       // [n_leaves] the given leaves in the order of their nodes
};

// Throws invalid_format naming tree and node where children are no tree (a cycle, a node with two parents or
// with none), unsupported above 2^31 nodes.
[[nodiscard]] Layout lay_out(const LooseTrees& trees);

}  // namespace shortlist::trees
