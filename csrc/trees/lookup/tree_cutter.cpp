#include "trees/lookup/tree_cutter.hpp"

#include <algorithm>
#include <bit>
#include <functional>

#include "trees/node.hpp"

namespace shortlist::trees {
namespace {

constexpr std::uint8_t kNone = 255;
// Steps through a block of its own: ways that are longer go on in another block.
constexpr std::uint32_t kMaxSteps = 16;

struct Decision {
  explicit Decision(std::uint64_t node)
      : asked(static_cast<std::uint32_t>(node & 0xffff)),
        view(static_cast<std::uint32_t>(node >> 16 & 0xffff)) {}
  std::uint32_t asked, view;
};

bool is_leaf(const BinaryTree& tree, std::uint32_t node) {
  return tree.nodes[node] >> 32 == tree.root + node;
}

std::uint32_t left_of(const BinaryTree& tree, std::uint32_t node) {
  return static_cast<std::uint32_t>(tree.nodes[node] >> 32) - tree.root;
}

}  // namespace

std::uint32_t roots_per_block(std::span<const BinaryTree> trees) {
  std::size_t n_splits = 0;
  for (const BinaryTree& tree : trees) n_splits = std::max(n_splits, tree.nodes.size() / 2);
  std::uint32_t n_roots = 1;
  while (n_roots < 4 && n_splits < kBlockNodes / (2 * n_roots)) n_roots *= 2;
  return n_roots;
}

std::uint32_t TreeCutter::doublings() const noexcept {
  return std::max<std::uint32_t>(std::bit_width(std::max(n_steps_, 1u) - 1), kMinDoublings);
}

void TreeCutter::place(const BinaryTree& tree, std::uint32_t block, std::uint32_t first) {
  weigh(tree);
  picked_.assign(first, 0);
  pick_all(tree, 0, std::uint32_t{1} << kMaxDoublings);
  if (picked_.size() == first) {  // a tree of one leaf
    made_.blocks[block].left[first] = made_.blocks[block].right[first] =
        static_cast<std::uint8_t>(kBlockNodes + first);
    made_.leaf_of_place.push_back(tree.first_leaf);
    return;
  }
  write(tree, block, first);
}

void TreeCutter::cut(const BinaryTree& tree, std::uint32_t block) {
  weigh(tree);
  if (n_leaves_[0] == 1) return place(tree, block, 0);
  tops_.clear();
  picked_.clear();
  pick(tree, 0, kBlockNodes - 1, kMaxSteps);
  write(tree, block, 0);
  // What hangs below goes together as far as a block has exits for it.
  for (std::size_t next = 0; next < tops_.size();) {
    block = static_cast<std::uint32_t>(made_.blocks.size());
    made_.add_block();
    picked_.clear();
    std::size_t n_exits = 0;
    for (; next < tops_.size(); ++next) {
      const Top& top = tops_[next];
      const std::size_t room = kBlockNodes - n_exits;
      if (n_exits != 0 && n_leaves_[top.node] > room) break;
      made_.children[top.child] =
          block * static_cast<std::uint32_t>(kBlockNodes) + static_cast<std::uint32_t>(picked_.size());
      const std::size_t before = picked_.size();
      pick(tree, top.node, room - 1, kMaxSteps);
      n_exits += picked_.size() - before + 1;
    }
    write(tree, block, 0);
  }
}

// Children stand behind their parents. Large forests are cut while a file loads, and whether a node is a leaf
// cannot be foreseen: no branch depends on it in what is done with every node.
void TreeCutter::weigh(const BinaryTree& tree) {
  const auto n = static_cast<std::uint32_t>(tree.nodes.size());
  n_leaves_.resize(n);
  leaf_at_.resize(n);
  depth_.resize(n + 2);  // behind the nodes: what leaves write to
  picked_at_.assign(n, kNone);
  std::uint32_t next_leaf = tree.first_leaf;
  depth_[0] = 0;
  for (std::uint32_t node = 0; node < n; ++node) {
    const bool leaf = is_leaf(tree, node);
    leaf_at_[node] = next_leaf;
    next_leaf += leaf ? 1 : 0;
    const std::uint32_t left = leaf ? n : left_of(tree, node);
    depth_[left] = depth_[left + 1] = depth_[node] + 1;
  }
  for (std::uint32_t node = n; node-- > 0;) {
    const bool leaf = is_leaf(tree, node);
    const std::uint32_t left = left_of(tree, node), right = left + (leaf ? 0 : 1);
    const std::uint32_t below = n_leaves_[left] + n_leaves_[right];
    n_leaves_[node] = leaf ? 1 : below;
  }
}

// Puts the decisions from the top on into the block at hand, at most so many.
void TreeCutter::pick(const BinaryTree& tree, std::uint32_t top, std::size_t most, std::uint32_t max_steps) {
  if (n_leaves_[top] - 1 <= most) {
    pick_all(tree, top, max_steps);
  } else {
    pick_heaviest(tree, top, most, max_steps);
  }
}

void TreeCutter::pick_all(const BinaryTree& tree, std::uint32_t top, std::uint32_t max_steps) {
  frontier_.resize(2 * kBlockNodes + 2);
  frontier_[0] = top;
  std::size_t n_open = is_leaf(tree, top) ? 0 : 1;
  const std::uint32_t end = depth_[top] + max_steps;
  while (n_open > 0) {
    const std::uint32_t node = frontier_[--n_open];
    take(node, top);
    const std::uint32_t left = left_of(tree, node);
    const bool deeper = depth_[left] < end;
    frontier_[n_open] = left + 1;
    n_open += deeper & !is_leaf(tree, left + 1) ? 1 : 0;
    frontier_[n_open] = left;
    n_open += deeper & !is_leaf(tree, left) ? 1 : 0;
  }
}

// Those with the most leaves below them: a parent has more than its children, so they hang together.
void TreeCutter::pick_heaviest(const BinaryTree& tree, std::uint32_t top, std::size_t most,
                               std::uint32_t max_steps) {
  const std::uint32_t end = depth_[top] + max_steps;
  const auto n = static_cast<std::uint32_t>(tree.nodes.size());
  heaviest_.clear();
  if (top == 0) {
    heaviest_.resize(n);
    std::size_t n_splits = 0;
    for (std::uint32_t node = 0; node < n; ++node) {
      heaviest_[n_splits] = weight(node);
      n_splits += (depth_[node] < end) & !is_leaf(tree, node) ? 1 : 0;
    }
    heaviest_.resize(n_splits);
  } else {
    frontier_.assign(1, top);
    while (!frontier_.empty()) {
      const std::uint32_t node = frontier_.back();
      frontier_.pop_back();
      if (is_leaf(tree, node) || depth_[node] >= end) continue;
      heaviest_.push_back(weight(node));
      const std::uint32_t left = left_of(tree, node);
      frontier_.push_back(left + 1);
      frontier_.push_back(left);
    }
  }
  const auto last = heaviest_.begin() + static_cast<std::ptrdiff_t>(std::min(most, heaviest_.size()));
  std::nth_element(heaviest_.begin(), last, heaviest_.end(), std::greater<>());
  std::iter_swap(heaviest_.begin(), std::max_element(heaviest_.begin(), last));  // the top comes first
  for (auto picked = heaviest_.begin(); picked != last; ++picked)
    take(~static_cast<std::uint32_t>(*picked), top);
}

// Greater where there are more leaves below, else where the node comes earlier.
std::uint64_t TreeCutter::weight(std::uint32_t node) const noexcept {
  return std::uint64_t{n_leaves_[node]} << 32 | ~node;
}

void TreeCutter::take(std::uint32_t node, std::uint32_t top) {
  picked_at_[node] = static_cast<std::uint8_t>(picked_.size());
  picked_.push_back(node);
  n_steps_ = std::max(n_steps_, depth_[node] - depth_[top] + 1);
}

// Writes the picked nodes; their places are their numbers in the block. What `first_exit` is behind is
// others'.
void TreeCutter::write(const BinaryTree& tree, std::uint32_t block, std::uint32_t first_exit) {
  constexpr std::size_t kRoom = kBlockNodes + 1;  // exits of either kind, and one that is not counted
  BlockExits exits = {static_cast<std::uint32_t>(made_.children.size()), 0,
                      made_.first_place + static_cast<std::uint32_t>(made_.leaf_of_place.size())};
  const auto is_picked = [&](std::uint32_t node) { return picked_at_[node] != kNone; };
  for (std::size_t place = first_exit; place < picked_.size(); ++place) {
    const std::uint32_t left = left_of(tree, picked_[place]);
    exits.n_children += !is_picked(left) & !is_leaf(tree, left) ? 1 : 0;
    exits.n_children += !is_picked(left + 1) & !is_leaf(tree, left + 1) ? 1 : 0;
  }
  std::size_t n_tops = tops_.size(), n_leaves = made_.leaf_of_place.size();
  tops_.resize(n_tops + kRoom);
  made_.leaf_of_place.resize(n_leaves + kRoom);
  std::uint32_t child = exits.first_child;
  const std::uint32_t first = static_cast<std::uint32_t>(kBlockNodes) + first_exit;
  std::uint32_t child_exit = first, leaf_exit = first + exits.n_children;
  // Everything that a node may be is written, and what it is counted.
  const auto successor = [&](std::uint32_t node) {
    const bool leaf = is_leaf(tree, node), picked = is_picked(node), goes_on = !leaf & !picked;
    tops_[n_tops] = {node, child};
    made_.leaf_of_place[n_leaves] = leaf_at_[node];
    const std::uint32_t exit = leaf ? leaf_exit : child_exit;
    const std::uint32_t to = picked ? std::uint32_t{picked_at_[node]} : exit;
    n_tops += goes_on ? 1 : 0;
    child += goes_on ? 1 : 0;
    child_exit += goes_on ? 1 : 0;
    leaf_exit += leaf ? 1 : 0;
    n_leaves += leaf ? 1 : 0;
    return static_cast<std::uint8_t>(to);
  };
  TreeBlock& to = made_.blocks[block];
  for (std::size_t place = first_exit; place < picked_.size(); ++place) {
    const Decision asked(tree.nodes[picked_[place]]);
    if (asks_for_set(static_cast<ViewKind>(views_[asked.view]))) {
      const auto set = static_cast<std::uint32_t>(encoder_.set_of(asked.view));
      made_.set_nodes.push_back(
          {set, tree.first_bitset + asked.asked, block, static_cast<std::uint32_t>(place)});
    } else {
      const RowEncoder::Comparison comparison = encoder_.comparison(asked.view, asked.asked);
      to.column[place] = comparison.column;
      to.limit[place] = comparison.limit;
    }
    const std::uint32_t left = left_of(tree, picked_[place]);
    to.left[place] = successor(left);
    to.right[place] = successor(left + 1);
  }
  for (std::size_t place = first_exit; place < picked_.size(); ++place) picked_at_[picked_[place]] = kNone;
  tops_.resize(n_tops);
  made_.leaf_of_place.resize(n_leaves);
  made_.children.resize(child, 0);
  made_.exits[block] = exits;
}

void TreeBlocks::add_block() {
  TreeBlock block = {};
  for (std::size_t node = 0; node < kBlockNodes; ++node) {
    block.limit[node] = 255;
    block.left[node] = block.right[node] = static_cast<std::uint8_t>(kBlockNodes + node);
  }
  blocks.push_back(block);
  exits.push_back({});
}

}  // namespace shortlist::trees
