#include "trees/layout.hpp"

#include <string>

#include "base/error.hpp"
#include "trees/node.hpp"

namespace shortlist::trees {
namespace {

constexpr std::size_t kMaxNodes = std::size_t{1} << 31;

[[noreturn]] void reject(const std::string& why) { throw Error(ErrorCode::invalid_format, why); }

void check_offsets(const char* name, std::span<const std::int64_t> offsets, std::size_t total) {
  bool good = !offsets.empty() && offsets.front() == 0;
  for (std::size_t i = 0; good && i + 1 < offsets.size(); ++i) good = offsets[i] <= offsets[i + 1];
  if (!good || static_cast<std::size_t>(offsets.back()) != total)
    reject(std::string(name) + " do not ascend from 0 to " + std::to_string(total));
}

// One tree, placed breadth first: the queue is the nodes themselves.
class Placement {
 public:
  Placement(const LooseTrees& trees, std::size_t tree, Layout& layout)
      : trees_(trees),
        layout_(layout),
        tree_(tree),
        first_split_(trees.split_offsets[tree]),
        n_splits_(trees.split_offsets[tree + 1] - first_split_),
        first_leaf_(trees.leaf_offsets[tree]),
        n_leaves_(trees.leaf_offsets[tree + 1] - first_leaf_) {}

  // `children`: room for the tree's nodes. `seen`: of splits, then of leaves.
  void run(std::vector<std::int64_t>& children, std::vector<bool>& seen) {
    const auto size = static_cast<std::size_t>(n_splits_ + n_leaves_);
    const std::size_t root = layout_.nodes.size();
    children.clear();
    seen.assign(size, false);
    take(n_splits_ > 0 ? 0 : ~std::int64_t{0}, children, seen);
    for (std::size_t at = 0; at < children.size(); ++at) {
      const std::int64_t child = children[at];
      const std::uint64_t node = root + at;
      if (child < 0) {
        layout_.nodes.push_back(node << 32 | kLeafRank);
        layout_.leaves.push_back(first_leaf_ + ~child);
        continue;
      }
      const auto split = static_cast<std::size_t>(first_split_ + child);
      layout_.nodes.push_back((root + children.size()) << 32 | trees_.decisions[split]);
      take(trees_.left[split], children, seen);
      take(trees_.right[split], children, seen);
    }
    if (children.size() != size) fail_unreached(seen);
  }

 private:
  void take(std::int64_t child, std::vector<std::int64_t>& children, std::vector<bool>& seen) const {
    const bool split = child >= 0;
    const std::int64_t number = split ? child : ~child;
    if (number >= (split ? n_splits_ : n_leaves_)) fail(split, number, "does not exist, yet is a child");
    const auto place = static_cast<std::size_t>(split ? number : n_splits_ + number);
    if (seen[place]) fail(split, number, "has two parents, expected one (or it is the root)");
    seen[place] = true;
    children.push_back(child);
  }
  [[noreturn]] void fail_unreached(const std::vector<bool>& seen) const {
    std::int64_t place = 0;
    while (seen[static_cast<std::size_t>(place)]) ++place;
    const bool split = place < n_splits_;
    fail(split, split ? place : place - n_splits_, "is not reached from the root");
  }
  [[noreturn]] void fail(bool split, std::int64_t number, const char* why) const {
    reject("tree " + std::to_string(tree_) + ": " + (split ? "split " : "leaf ") + std::to_string(number) +
           " " + why);
  }

  const LooseTrees& trees_;
  Layout& layout_;
  std::size_t tree_;
  std::int64_t first_split_, n_splits_, first_leaf_, n_leaves_;
};

}  // namespace

Layout lay_out(const LooseTrees& trees) {
  const std::size_t n_splits = trees.left.size();
  if (trees.right.size() != n_splits || trees.decisions.size() != n_splits ||
      trees.leaf_offsets.size() != trees.split_offsets.size() || trees.leaf_offsets.empty())
    reject("splits, children and offsets differ in number");
  check_offsets("split offsets", trees.split_offsets, n_splits);
  check_offsets("leaf offsets", trees.leaf_offsets, static_cast<std::size_t>(trees.leaf_offsets.back()));
  const auto n_leaves = static_cast<std::size_t>(trees.leaf_offsets.back());
  if (n_leaves >= kMaxNodes || n_splits >= kMaxNodes - n_leaves)
    throw Error(ErrorCode::unsupported, std::to_string(n_splits + n_leaves) + " nodes; 2^31 are handled");

  Layout layout;
  layout.nodes.reserve(n_splits + n_leaves);
  layout.leaves.reserve(n_leaves);
  layout.tree_roots.push_back(0);
  std::vector<std::int64_t> children;
  std::vector<bool> seen;
  for (std::size_t tree = 0; tree + 1 < trees.split_offsets.size(); ++tree) {
    Placement(trees, tree, layout).run(children, seen);
    layout.tree_roots.push_back(static_cast<std::uint32_t>(layout.nodes.size()));
  }
  return layout;
}

}  // namespace shortlist::trees
