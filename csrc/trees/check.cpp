#include "trees/check.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.hpp"
#include "trees/transform.hpp"

namespace shortlist::trees {
namespace {

constexpr std::size_t kMaxNodes = std::size_t{1} << 31;
constexpr std::size_t kMaxAllThresholds = std::size_t{1} << 30;  // padded to twice as many they fit 32 bits

[[noreturn]] void reject(const std::string& why) {
  throw Error(ErrorCode::invalid_format, "compiled forest: " + why);
}

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorCode::unsupported, "compiled forest: " + what);
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

std::size_t n_parts(const char* name, std::span<const std::uint32_t> offsets) {
  if (offsets.empty()) reject(std::string(name) + " has no elements, expected at least 1");
  return offsets.size() - 1;
}

void check_finite(const char* name, std::span<const double> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) reject(std::string(name) + "[" + std::to_string(i) + "] is not finite");
  }
}

std::uint32_t entry(const ForestArrays& arrays, Header which) {
  return arrays.header[static_cast<std::size_t>(which)];
}

bool has(const ForestArrays& arrays, Flag flag) {
  return (entry(arrays, Header::flags) & static_cast<std::uint32_t>(flag)) != 0;
}

void check_header(const ForestArrays& arrays) {
  if (arrays.header.empty()) reject("header has no elements");
  const std::uint32_t format = entry(arrays, Header::format);
  if (format != kForestFormat) {
    refuse("header has format " + std::to_string(format) + ", this version reads " +
           std::to_string(kForestFormat));
  }
  check_size("header", arrays.header.size(), kHeaderSize);
  const std::uint32_t n_features = entry(arrays, Header::n_features);
  const std::uint32_t n_outputs = entry(arrays, Header::n_outputs);
  const std::uint32_t width = entry(arrays, Header::leaf_width);
  if (n_features == 0) reject("header has 0 features, expected at least 1");
  if (n_features > 0x7fffffff) refuse("header has more than 2^31 - 1 features");
  if (n_outputs == 0) reject("header has 0 outputs, expected at least 1");
  if (width != 1 && width != n_outputs) reject("header has leaves of " + std::to_string(width) + " values");
  if (!is_transform(entry(arrays, Header::transform)))
    reject("header has unknown transform " + std::to_string(entry(arrays, Header::transform)));
  if (entry(arrays, Header::aggregate) >= kAggregates)
    reject("header has unknown aggregate " + std::to_string(entry(arrays, Header::aggregate)));
  if (entry(arrays, Header::flags) > kAllFlags)
    reject("header has unknown flags " + std::to_string(entry(arrays, Header::flags)));
  check_size("scales", arrays.scales.size(), 3);
  if (!(arrays.scales[0] > 0.0) || !std::isfinite(arrays.scales[0]))
    reject("scales[0] is not a positive number");
  if (!std::isfinite(arrays.scales[1])) reject("scales[1] is not finite");
  if (arrays.scales[2] != 0.0 && !std::isnan(arrays.scales[2])) reject("scales[2] is neither 0 nor NaN");
  check_size("base", arrays.base.size(), n_outputs);
  check_size("bias", arrays.bias.size(), n_outputs);
  check_finite("base", arrays.base);
  check_finite("bias", arrays.bias);
}

// Per column: strictly ascending (so no NaN, save alone) and not more than fit 16 bits.
void check_ascending(const char* name, std::span<const double> values, std::span<const std::uint32_t> offsets,
                     std::size_t most) {
  for (std::size_t c = 0; c + 1 < offsets.size(); ++c) {
    if (offsets[c + 1] - offsets[c] > most)
      refuse(std::string(name) + " of column " + std::to_string(c) + " are more than " +
             std::to_string(most));
    for (std::size_t i = offsets[c]; i < offsets[c + 1]; ++i) {
      const bool number = values[i] == values[i];
      if (!number || (i > offsets[c] && !(values[i - 1] < values[i]))) {
        reject(std::string(name) + " of column " + std::to_string(c) + " do not ascend at element " +
               std::to_string(i));
      }
    }
  }
}

void check_columns(const ForestArrays& arrays) {
  const std::size_t n_columns = arrays.column_features.size();
  check_offsets("threshold_offsets", arrays.threshold_offsets, n_columns, arrays.thresholds.size());
  check_offsets("key_offsets", arrays.key_offsets, n_columns, arrays.keys.size());
  if (arrays.thresholds.size() > kMaxAllThresholds) reject("thresholds has more than 2^30 elements");
  check_ascending("thresholds", arrays.thresholds, arrays.threshold_offsets, kMaxThresholds);
  check_ascending("keys", arrays.keys, arrays.key_offsets, arrays.keys.size());
  check_size("key_codes", arrays.key_codes.size(), arrays.keys.size());
  for (std::size_t i = 0; i < arrays.key_codes.size(); ++i) {
    if (arrays.key_codes[i] >= kMaxCodes) reject("key_codes[" + std::to_string(i) + "] is above 65532");
  }
  for (std::size_t c = 0; c < n_columns; ++c) {
    if (arrays.column_features[c] >= entry(arrays, Header::n_features))
      reject("column_features[" + std::to_string(c) + "] is no feature");
    if (c > 0 && arrays.column_features[c] < arrays.column_features[c - 1])
      reject("column_features are not ascending");
  }
}

// Within a segment views ascend by column; one that asks for a set has its column for itself.
void check_segment_views(const ForestArrays& arrays, std::size_t begin, std::size_t end) {
  if (end - begin > kMaxViews) {
    refuse("a segment of " + std::to_string(end - begin) + " views, at most " + std::to_string(kMaxViews) +
           " are handled");
  }
  for (std::size_t v = begin; v < end; ++v) {
    const std::string name = "view_columns[" + std::to_string(v) + "]";
    if (arrays.view_columns[v] >= arrays.column_features.size()) reject(name + " is no column");
    if (arrays.view_kinds[v] >= kViewKinds) reject("view_kinds[" + std::to_string(v) + "] is unknown");
    if (v == begin) continue;
    if (arrays.view_columns[v] < arrays.view_columns[v - 1]) reject("view_columns are not ascending");
    const bool set = asks_for_set(static_cast<ViewKind>(arrays.view_kinds[v])) ||
                     asks_for_set(static_cast<ViewKind>(arrays.view_kinds[v - 1]));
    if (set && arrays.view_columns[v] == arrays.view_columns[v - 1])
      reject(name + " shares a column of categories");
  }
}

void check_segments(const ForestArrays& arrays, std::size_t n_trees) {
  check_size("view_kinds", arrays.view_kinds.size(), arrays.view_columns.size());
  const std::size_t n_segments = n_parts("segment_views", arrays.segment_views);
  check_offsets("segment_views", arrays.segment_views, n_segments, arrays.view_columns.size());
  check_offsets("segment_trees", arrays.segment_trees, n_segments, n_trees);
  for (std::size_t s = 0; s < n_segments; ++s)
    check_segment_views(arrays, arrays.segment_views[s], arrays.segment_views[s + 1]);
}

class TreeCheck {
 public:
  TreeCheck(const ForestArrays& arrays, std::size_t segment, std::size_t tree)
      : arrays_(arrays),
        tree_(tree),
        begin_(arrays.tree_roots[tree]),
        end_(arrays.tree_roots[tree + 1]),
        n_leaves_(arrays.tree_leaves[tree + 1] - arrays.tree_leaves[tree]),
        n_bitsets_(arrays.tree_bitsets[tree + 1] - arrays.tree_bitsets[tree]),
        first_view_(arrays.segment_views[segment]),
        n_views_(arrays.segment_views[segment + 1] - first_view_) {}

  // `levels`: room for the tree's nodes, overwritten.
  [[nodiscard]] Tree run(std::vector<std::uint32_t>& levels) {
    Tree tree{.root = static_cast<std::uint32_t>(begin_),
              .depth = 0,
              .first_bitset = arrays_.tree_bitsets[tree_],
              .first_leaf = arrays_.tree_leaves[tree_],
              .output = arrays_.tree_outputs[tree_],
              .categorical = false};
    if (has(arrays_, Flag::oblivious)) {
      check_oblivious(tree);
    } else {
      check_binary(levels, tree);
    }
    const std::uint32_t width = entry(arrays_, Header::leaf_width);
    if (width == 1 ? tree.output >= entry(arrays_, Header::n_outputs) : tree.output != 0)
      reject("tree_outputs[" + std::to_string(tree_) + "] is no output");
    return tree;
  }

 private:
  void check_oblivious(Tree& tree) const {
    const std::size_t depth = end_ - begin_;
    if (depth > kMaxObliviousDepth || n_leaves_ != std::size_t{1} << depth) {
      reject("tree " + std::to_string(tree_) + ": " + std::to_string(n_leaves_) + " leaves for " +
             std::to_string(depth) + " levels");
    }
    for (std::size_t i = begin_; i < end_; ++i) {
      if (arrays_.nodes[i] >> 32 != 0) fail(i, "of an oblivious tree has a child");
      check_decision(i, tree);
    }
    tree.depth = static_cast<std::uint32_t>(depth);
  }
  void check_binary(std::vector<std::uint32_t>& levels, Tree& tree) const {
    if (begin_ == end_) reject("tree " + std::to_string(tree_) + " has no nodes");
    levels.assign(end_ - begin_, 0);
    std::size_t n_leaves = 0;
    for (std::size_t i = begin_; i < end_; ++i) {
      const std::uint32_t level = levels[i - begin_];
      if (i > begin_ && level == 0) fail(i, "is not reached from the root");
      const std::size_t left = arrays_.nodes[i] >> 32;
      if (left == i) {
        if ((arrays_.nodes[i] & 0xffffffff) != kLeafRank)
          fail(i, "is a leaf whose rank is not 65535 or whose view is not 0");
        tree.depth = std::max(tree.depth, level);
        ++n_leaves;
        continue;
      }
      if (left < i || left >= end_ || left + 1 >= end_)
        fail(i, "has a child that is not behind it in the tree");
      check_decision(i, tree);
      for (const std::size_t child : {left, left + 1}) {
        if (levels[child - begin_] != 0) fail(child, "has two parents");
        levels[child - begin_] = level + 1;
      }
    }
    if (n_leaves != n_leaves_) {
      reject("tree_leaves gives tree " + std::to_string(tree_) + " " + std::to_string(n_leaves_) +
             " leaves, found " + std::to_string(n_leaves));
    }
  }
  void check_decision(std::size_t node, Tree& tree) const {
    const auto rank = static_cast<std::uint16_t>(arrays_.nodes[node]);
    const auto view = static_cast<std::uint16_t>(arrays_.nodes[node] >> 16);
    if (view >= n_views_) fail(node, "reads a view that does not exist");
    if (asks_for_set(static_cast<ViewKind>(arrays_.view_kinds[first_view_ + view]))) {
      // The walk takes a rank of kLeafRank for a leaf.
      if (rank >= n_bitsets_ || rank == kLeafRank) fail(node, "reads a bitset that does not exist");
      tree.categorical = true;
      return;
    }
    const std::uint32_t column = arrays_.view_columns[first_view_ + view];
    if (rank >= arrays_.threshold_offsets[column + 1] - arrays_.threshold_offsets[column])
      fail(node, "reads a threshold that does not exist");
  }
  [[noreturn]] void fail(std::size_t node, const char* why) const {
    reject("tree " + std::to_string(tree_) + ": node " + std::to_string(node) + " " + why);
  }

  const ForestArrays& arrays_;
  std::size_t tree_, begin_, end_, n_leaves_, n_bitsets_, first_view_, n_views_;
};

void check_leaves(const ForestArrays& arrays, std::size_t n_leaves) {
  check_size("leaf_values", arrays.leaf_values.size(), n_leaves * entry(arrays, Header::leaf_width));
  check_finite("leaf_values", arrays.leaf_values);
  check_size("leaf_ids", arrays.leaf_ids.size(), n_leaves);
  if (arrays.linear_constants.empty()) {
    check_size("linear_offsets", arrays.linear_offsets.size(), 0);
    check_size("linear_features", arrays.linear_features.size(), 0);
    check_size("linear_coefficients", arrays.linear_coefficients.size(), 0);
    return;
  }
  const bool plain = entry(arrays, Header::leaf_width) == 1 && entry(arrays, Header::aggregate) == 0 &&
                     !has(arrays, Flag::float32) && !has(arrays, Flag::oblivious);
  if (!plain) reject("linear_constants: only scalar float64 leaves of binary trees can be linear");
  check_size("linear_constants", arrays.linear_constants.size(), n_leaves);
  check_offsets("linear_offsets", arrays.linear_offsets, n_leaves, arrays.linear_features.size());
  check_size("linear_coefficients", arrays.linear_coefficients.size(), arrays.linear_features.size());
  for (std::size_t i = 0; i < arrays.linear_features.size(); ++i) {
    if (arrays.linear_features[i] >= entry(arrays, Header::n_features))
      reject("linear_features[" + std::to_string(i) + "] is no feature");
  }
}

void check_rounds(const ForestArrays& arrays, std::size_t n_trees) {
  const std::size_t n_rounds = n_parts("round_trees", arrays.round_trees);
  check_offsets("round_trees", arrays.round_trees, n_rounds, n_trees);
  if (n_rounds == 0) reject("round_trees has 1 element: no round");
  const std::uint32_t rounds = entry(arrays, Header::default_rounds);
  if (rounds == 0 || rounds > n_rounds) {
    reject("header has " + std::to_string(rounds) + " default rounds of " + std::to_string(n_rounds));
  }
}

}  // namespace

std::vector<Tree> check_forest(const ForestArrays& arrays) {
  check_header(arrays);
  check_columns(arrays);
  const std::size_t n_trees = n_parts("tree_roots", arrays.tree_roots);
  if (arrays.nodes.size() > kMaxNodes) reject("nodes has more than 2^31 elements");
  check_offsets("tree_roots", arrays.tree_roots, n_trees, arrays.nodes.size());
  check_segments(arrays, n_trees);
  check_rounds(arrays, n_trees);
  check_offsets("tree_leaves", arrays.tree_leaves, n_trees, arrays.leaf_ids.size());
  check_size("tree_outputs", arrays.tree_outputs.size(), n_trees);
  const std::size_t n_bitsets = n_parts("bitset_offsets", arrays.bitset_offsets);
  check_offsets("tree_bitsets", arrays.tree_bitsets, n_trees, n_bitsets);
  check_offsets("bitset_offsets", arrays.bitset_offsets, n_bitsets, arrays.bitset_words.size());
  check_leaves(arrays, arrays.leaf_ids.size());
  if (!arrays.weights.empty()) {
    const std::size_t size =
        std::size_t{entry(arrays, Header::n_features)} * entry(arrays, Header::n_outputs);
    check_size("weights", arrays.weights.size(), size);
  } else if (n_trees == 0) {
    reject("there are no trees, and no weights");
  }

  std::vector<Tree> trees;
  trees.reserve(n_trees);
  std::vector<std::uint32_t> levels;
  for (std::size_t s = 0; s + 1 < arrays.segment_trees.size(); ++s) {
    for (std::size_t t = arrays.segment_trees[s]; t < arrays.segment_trees[s + 1]; ++t)
      trees.push_back(TreeCheck(arrays, s, t).run(levels));
  }
  return trees;
}

}  // namespace shortlist::trees
