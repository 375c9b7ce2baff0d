#include "trees/check.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.hpp"

namespace shortlist::trees {
namespace {

constexpr std::size_t kMaxNodes = std::size_t{1} << 31;
constexpr std::size_t kMaxAllThresholds = std::size_t{1} << 30;  // padded to twice as many they fit 32 bits

[[noreturn]] void reject(const std::string& why) {
  throw Error(ErrorCode::invalid_format, "compiled forest: " + why);
}

void check_size(const char* name, std::size_t size, std::size_t expected) {
  if (size != expected) {
    reject(std::string(name) + " has " + std::to_string(size) + " elements, expected " +
           std::to_string(expected));
  }
}

// Offsets of n + 1 elements: from 0, never descending, up to `total`.
void check_offsets(const char* name, std::span<const std::uint32_t> offsets, std::size_t n,
                   std::size_t total) {
  check_size(name, offsets.size(), n + 1);
  if (offsets.front() != 0)
    reject(std::string(name) + " begins with " + std::to_string(offsets.front()) + ", expected 0");
  for (std::size_t i = 0; i < n; ++i) {
    if (offsets[i] > offsets[i + 1])
      reject(std::string(name) + " descends after element " + std::to_string(i));
  }
  if (offsets.back() != total) {
    reject(std::string(name) + " ends with " + std::to_string(offsets.back()) + ", expected " +
           std::to_string(total));
  }
}

void check_header(const ForestArrays& arrays) {
  check_size("header", arrays.header.size(), 5);
  check_size("scale", arrays.scale.size(), 1);
  const auto header = arrays.header;
  if (header[0] != kForestFormat) {
    throw Error(ErrorCode::unsupported, "compiled forest: header has format " + std::to_string(header[0]) +
                                            ", this version reads " + std::to_string(kForestFormat));
  }
  if (header[1] == 0) reject("header has 0 features, expected at least 1");
  if (header[2] == 0) reject("header has 0 outputs, expected at least 1");
  if (!is_transform(header[3], header[2])) reject("header has unknown transform " + std::to_string(header[3]));
  if (!(arrays.scale[0] > 0.0) || !std::isfinite(arrays.scale[0])) reject("scale is not a positive number");
}

// Per feature: strictly ascending (so no NaN, save alone) and not more than fit 16 bits.
template <class T>
void check_ascending(const char* name, std::span<const T> values, std::span<const std::uint32_t> offsets,
                     std::size_t most) {
  for (std::size_t f = 0; f + 1 < offsets.size(); ++f) {
    if (offsets[f + 1] - offsets[f] > most) {
      throw Error(ErrorCode::unsupported, "compiled forest: " + std::string(name) + " of feature " +
                                              std::to_string(f) + " are more than " + std::to_string(most));
    }
    for (std::size_t i = offsets[f]; i < offsets[f + 1]; ++i) {
      const bool number = values[i] == values[i];
      if (!number || (i > offsets[f] && !(values[i - 1] < values[i]))) {
        reject(std::string(name) + " of feature " + std::to_string(f) + " do not ascend at element " +
               std::to_string(i));
      }
    }
  }
}

void check_views(const ForestArrays& arrays) {
  check_size("view_kinds", arrays.view_kinds.size(), arrays.view_features.size());
  if (arrays.view_features.size() > kMaxViews) {
    throw Error(ErrorCode::unsupported, "compiled forest: " + std::to_string(arrays.view_features.size()) +
                                            " views, at most " + std::to_string(kMaxViews) + " are handled");
  }
  for (std::size_t v = 0; v < arrays.view_features.size(); ++v) {
    if (arrays.view_features[v] >= arrays.header[1])
      reject("view_features[" + std::to_string(v) + "] is no feature");
    if (v > 0 && arrays.view_features[v] < arrays.view_features[v - 1])
      reject("view_features are not ascending");
    if (arrays.view_kinds[v] >= kViewKinds) reject("view_kinds[" + std::to_string(v) + "] is unknown");
  }
}

class TreeCheck {
 public:
  TreeCheck(const ForestArrays& arrays, std::size_t tree)
      : arrays_(arrays),
        tree_(tree),
        begin_(arrays.tree_roots[tree]),
        end_(arrays.tree_roots[tree + 1]),
        n_bitsets_(arrays.tree_bitsets[tree + 1] - arrays.tree_bitsets[tree]) {}

  // `levels`: room for the tree's nodes, overwritten.
  [[nodiscard]] Tree run(std::vector<std::uint32_t>& levels) {
    levels.assign(end_ - begin_, 0);
    Tree tree{static_cast<std::uint32_t>(begin_), 0, arrays_.tree_bitsets[tree_], false};
    for (std::size_t i = begin_; i < end_; ++i) {
      const std::uint32_t level = levels[i - begin_];
      if (i > begin_ && level == 0) fail(i, "is not reached from the root");
      const std::uint64_t node = arrays_.nodes[i];
      const auto rank = static_cast<std::uint16_t>(node);
      const auto view = static_cast<std::uint16_t>(node >> 16);
      const std::size_t left = node >> 32;
      if (left == i) {
        if (rank != kLeafRank || view != 0)
          fail(i, "is a leaf whose rank is not 65535 or whose view is not 0");
        if (!std::isfinite(arrays_.values[i])) fail(i, "is a leaf whose value is not finite");
        tree.depth = std::max(tree.depth, level);
        continue;
      }
      if (left < i || left >= end_ || left + 1 >= end_)
        fail(i, "has a child that is not behind it in the tree");
      check_decision(i, rank, view, tree);
      for (const std::size_t child : {left, left + 1}) {
        if (levels[child - begin_] != 0) fail(child, "has two parents");
        levels[child - begin_] = level + 1;
      }
    }
    return tree;
  }

 private:
  void check_decision(std::size_t node, std::uint16_t rank, std::uint16_t view, Tree& tree) const {
    if (view >= arrays_.view_features.size()) fail(node, "reads a view that does not exist");
    if (static_cast<ViewKind>(arrays_.view_kinds[view]) == ViewKind::category) {
      // The walk takes a rank of kLeafRank for a leaf.
      if (rank >= n_bitsets_ || rank == kLeafRank) fail(node, "reads a bitset that does not exist");
      tree.categorical = true;
      return;
    }
    const std::uint32_t feature = arrays_.view_features[view];
    if (rank >= arrays_.threshold_offsets[feature + 1] - arrays_.threshold_offsets[feature]) {
      fail(node, "reads a threshold that does not exist");
    }
  }
  [[noreturn]] void fail(std::size_t node, const char* why) const {
    reject("tree " + std::to_string(tree_) + ": node " + std::to_string(node) + " " + why);
  }

  const ForestArrays& arrays_;
  std::size_t tree_, begin_, end_, n_bitsets_;
};

}  // namespace

std::vector<Tree> check_forest(const ForestArrays& arrays) {
  check_header(arrays);
  const std::size_t n_features = arrays.header[1];
  check_offsets("threshold_offsets", arrays.threshold_offsets, n_features, arrays.thresholds.size());
  check_offsets("category_offsets", arrays.category_offsets, n_features, arrays.categories.size());
  if (arrays.thresholds.size() > kMaxAllThresholds) reject("thresholds has more than 2^30 elements");
  check_ascending("thresholds", arrays.thresholds, arrays.threshold_offsets, kMaxThresholds);
  check_ascending("categories", arrays.categories, arrays.category_offsets, kMaxCategories);
  check_views(arrays);

  if (arrays.tree_roots.size() < 2) reject("tree_roots has fewer than 2 elements: no tree");
  const std::size_t n_trees = arrays.tree_roots.size() - 1;
  if (arrays.nodes.size() > kMaxNodes) reject("nodes has more than 2^31 elements");
  check_offsets("tree_roots", arrays.tree_roots, n_trees, arrays.nodes.size());
  check_size("values", arrays.values.size(), arrays.nodes.size());
  if (arrays.bitset_offsets.empty()) reject("bitset_offsets has no elements, expected at least 1");
  check_offsets("tree_bitsets", arrays.tree_bitsets, n_trees, arrays.bitset_offsets.size() - 1);
  check_offsets("bitset_offsets", arrays.bitset_offsets, arrays.bitset_offsets.size() - 1,
                arrays.bitset_words.size());
  const std::uint32_t n_outputs = arrays.header[2];
  const std::uint32_t divisor = arrays.header[4];
  if (n_trees % n_outputs != 0) {
    reject(std::to_string(n_trees) + " trees are no multiple of " + std::to_string(n_outputs) + " outputs");
  }
  if (divisor != 0 && divisor != n_trees / n_outputs)
    reject("header has a divisor that is not the number of rounds");

  std::vector<Tree> trees;
  trees.reserve(n_trees);
  std::vector<std::uint32_t> levels;
  for (std::size_t t = 0; t < n_trees; ++t) {
    if (arrays.tree_roots[t] == arrays.tree_roots[t + 1])
      reject("tree " + std::to_string(t) + " has no nodes");
    trees.push_back(TreeCheck(arrays, t).run(levels));
  }
  return trees;
}

}  // namespace shortlist::trees
