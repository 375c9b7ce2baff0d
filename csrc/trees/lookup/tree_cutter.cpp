#include "trees/lookup/tree_cutter.hpp"

#include <algorithm>
#include <bit>

#include "trees/node.hpp"

namespace shortlist::trees {
namespace {

constexpr std::uint32_t kNone = 0xffffffff;
// Steps through a block of its own: ways that are longer go on in another block.
constexpr std::uint32_t kMaxSteps = 16;

struct Parsed {
  explicit Parsed(std::uint64_t node)
      : asked(static_cast<std::uint32_t>(node & 0xffff)),
        view(static_cast<std::uint32_t>(node >> 16 & 0xffff)),
        left(static_cast<std::uint32_t>(node >> 32)) {}
  std::uint32_t asked, view, left;
};

bool is_leaf(const BinaryTree& tree, std::uint32_t node) {
  return tree.nodes[node] >> 32 == tree.root + node;
}

std::uint32_t left_of(const BinaryTree& tree, std::uint32_t node) {
  return static_cast<std::uint32_t>(tree.nodes[node] >> 32) - tree.root;
}

// Decisions on the longest way down. Children stand behind their parents.
std::uint32_t depth_of(const BinaryTree& tree, std::vector<std::uint32_t>& depths) {
  depths.assign(tree.nodes.size(), 0);
  std::uint32_t deepest = 0;
  for (std::uint32_t node = 0; node < tree.nodes.size(); ++node) {
    deepest = std::max(deepest, depths[node]);
    if (is_leaf(tree, node)) continue;
    const std::uint32_t left = left_of(tree, node);
    depths[left] = depths[left + 1] = depths[node] + 1;
  }
  return deepest;
}

}  // namespace

BlockShape shape_of(std::span<const BinaryTree> trees) {
  std::size_t n_splits = 0;
  std::uint32_t deepest = 0;
  std::vector<std::uint32_t> depths;
  for (const BinaryTree& tree : trees) {
    n_splits = std::max(n_splits, tree.nodes.size() / 2);
    deepest = std::max(deepest, depth_of(tree, depths));
  }
  std::uint32_t n_roots = 1;
  while (n_roots < 4 && n_splits < kBlockNodes / (2 * n_roots)) n_roots *= 2;
  if (n_roots == 1) deepest = std::min(deepest, kMaxSteps);
  const std::uint32_t doublings = std::bit_width(std::max(deepest, 1u) - 1);
  return {std::max(doublings, kMinDoublings), n_roots, false};
}

void TreeCutter::place(const BinaryTree& tree, std::uint32_t block, std::uint32_t first) {
  weigh(tree);
  fill(tree, block, first, 0, kBlockNodes);
}

void TreeCutter::cut(const BinaryTree& tree, std::uint32_t block) {
  weigh(tree);
  tops_.assign(1, 0);
  const auto appended = static_cast<std::uint32_t>(made_.blocks.size());
  for (std::size_t i = 0; i < tops_.size(); ++i)
    fill(tree, i == 0 ? block : appended + static_cast<std::uint32_t>(i) - 1, 0, tops_[i], kMaxSteps);
}

void TreeCutter::weigh(const BinaryTree& tree) {
  const std::size_t n = tree.nodes.size();
  n_leaves_.resize(n);
  leaf_at_.resize(n);
  picked_at_.assign(n, kNone);
  std::uint32_t leaf = tree.first_leaf;
  for (std::uint32_t node = 0; node < n; ++node) {
    if (is_leaf(tree, node)) leaf_at_[node] = leaf++;
  }
  for (auto node = static_cast<std::uint32_t>(n); node-- > 0;) {
    const std::uint32_t left = left_of(tree, node);
    n_leaves_[node] = is_leaf(tree, node) ? 1 : n_leaves_[left] + n_leaves_[left + 1];
  }
}

// The decisions of a block: from the top on, always the one with the most leaves below it.
void TreeCutter::pick(const BinaryTree& tree, std::uint32_t top, std::uint32_t max_steps) {
  const auto lighter = [this](const Pick& a, const Pick& b) {
    return n_leaves_[a.node] != n_leaves_[b.node] ? n_leaves_[a.node] < n_leaves_[b.node] : a.node > b.node;
  };
  picked_.clear();
  frontier_.clear();
  const auto offer = [&](std::uint32_t node, std::uint32_t depth) {
    if (is_leaf(tree, node) || depth >= max_steps) return;
    frontier_.push_back({node, depth});
    std::push_heap(frontier_.begin(), frontier_.end(), lighter);
  };
  offer(top, 0);
  while (!frontier_.empty() && picked_.size() + 1 < kBlockNodes) {
    std::pop_heap(frontier_.begin(), frontier_.end(), lighter);
    const Pick best = frontier_.back();
    frontier_.pop_back();
    picked_at_[best.node] = static_cast<std::uint32_t>(picked_.size());
    picked_.push_back(best);
    const std::uint32_t left = left_of(tree, best.node);
    offer(left, best.depth + 1);
    offer(left + 1, best.depth + 1);
  }
}

void TreeCutter::fill(const BinaryTree& tree, std::uint32_t block, std::uint32_t first, std::uint32_t top,
                      std::uint32_t max_steps) {
  pick(tree, top, max_steps);
  BlockExits& exits = made_.exits[block];
  exits = {static_cast<std::uint32_t>(made_.blocks.size()), 0,
           made_.first_place + static_cast<std::uint32_t>(made_.leaf_of_place.size())};
  const auto goes_on = [&](std::uint32_t child) {
    return picked_at_[child] == kNone && !is_leaf(tree, child);
  };
  for (const Pick& picked : picked_) {
    const std::uint32_t left = left_of(tree, picked.node);
    exits.n_children += (goes_on(left) ? 1 : 0) + (goes_on(left + 1) ? 1 : 0);
  }
  std::uint32_t child_exit = static_cast<std::uint32_t>(kBlockNodes) + first;
  std::uint32_t leaf_exit = child_exit + exits.n_children;
  const auto successor = [&](std::uint32_t child) {
    if (picked_at_[child] != kNone) return static_cast<std::uint8_t>(first + picked_at_[child]);
    if (goes_on(child)) {
      tops_.push_back(child);
      return static_cast<std::uint8_t>(child_exit++);
    }
    made_.leaf_of_place.push_back(leaf_at_[child]);
    return static_cast<std::uint8_t>(leaf_exit++);
  };
  TreeBlock& to = made_.blocks[block];
  if (picked_.empty()) to.left[first] = to.right[first] = successor(top);  // a tree of one leaf
  for (std::uint32_t i = 0; i < picked_.size(); ++i) {
    const std::uint32_t node = first + i;
    const Parsed asked(tree.nodes[picked_[i].node]);
    if (asks_for_set(static_cast<ViewKind>(views_[asked.view]))) {
      const auto set = static_cast<std::uint32_t>(encoder_.set_of(asked.view));
      made_.set_nodes.push_back({set, tree.first_bitset + asked.asked, block, node});
    } else {
      const RowEncoder::Comparison comparison = encoder_.comparison(asked.view, asked.asked);
      to.column[node] = comparison.column;
      to.limit[node] = comparison.limit;
    }
    const std::uint32_t left = left_of(tree, picked_[i].node);
    to.left[node] = successor(left);
    to.right[node] = successor(left + 1);
  }
  for (const Pick& picked : picked_) picked_at_[picked.node] = kNone;
  for (std::uint32_t i = 0; i < made_.exits[block].n_children; ++i) made_.add_block();
}

void TreeBlocks::add_block() {
  TreeBlock block = {};
  for (std::size_t node = 0; node < kBlockNodes; ++node) {
    block.limit[node] = 255;  // what no tree takes stays where it is
    block.left[node] = block.right[node] = static_cast<std::uint8_t>(node);
  }
  blocks.push_back(block);
  exits.push_back({});
}

}  // namespace shortlist::trees
