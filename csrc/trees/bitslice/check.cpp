#include "trees/bitslice/check.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <string>

#include "base/error.hpp"
#include "trees/bitslice/check_logic.hpp"
#include "trees/node.hpp"

namespace shortlist::trees {
namespace {

[[noreturn]] void reject(const std::string& why) {
  throw Error(ErrorCode::invalid_format, "compiled forest: " + why);
}

void check_offsets(const char* name, std::span<const std::uint32_t> offsets, std::size_t n,
                   std::size_t total) {
  const bool sized = offsets.size() == n + 1;
  if (!sized || offsets.front() != 0 || offsets.back() != total ||
      !std::is_sorted(offsets.begin(), offsets.end())) {
    reject(std::string(name) + " do not ascend from 0 to " + std::to_string(total) + " in " +
           std::to_string(n) + " steps");
  }
}

[[noreturn]] void reject_predicate(std::size_t i, const std::string& why) {
  reject("predicates[" + std::to_string(i) + "] " + why);
}

void check_predicates(const ForestArrays& forest, const BitsliceArrays& arrays, std::size_t segment) {
  const std::uint32_t first_view = forest.segment_views[segment];
  const std::uint32_t n_views = forest.segment_views[segment + 1] - first_view;
  const std::size_t begin = arrays.predicate_offsets[segment], end = arrays.predicate_offsets[segment + 1];
  for (std::size_t i = begin; i < end; ++i) {
    const std::uint64_t asked = arrays.predicates[i];
    if (i > begin && arrays.predicates[i - 1] >= asked) reject_predicate(i, "does not ascend");
    if (view_of(asked) >= n_views) reject_predicate(i, "asks for view " + std::to_string(view_of(asked)));
    const auto kind = static_cast<ViewKind>(forest.view_kinds[first_view + view_of(asked)]);
    const std::size_t n = asks_for_set(kind) ? forest.bitset_offsets.size() - 1 : kMaxThresholds;
    if (asked_of(asked) >= n) reject_predicate(i, "asks for " + std::to_string(asked_of(asked)));
  }
}

// Checks trees, one after another; keeps its memory between them.
class TreeCheck {
 public:
  TreeCheck(const ForestArrays& forest, const BitsliceArrays& arrays, bool oblivious)
      : forest_(forest), arrays_(arrays), oblivious_(oblivious), logic_(kMaxWritten) {}

  void run(std::size_t tree, std::size_t n_predicates) {
    const std::size_t begin = arrays_.logic_offsets[tree], end = arrays_.logic_offsets[tree + 1];
    logic_.run(arrays_.logic.subspan(begin, end - begin), tree, {n_predicates + kMaxWritten, n_predicates});
    const std::uint32_t n_leaves = forest_.tree_leaves[tree + 1] - forest_.tree_leaves[tree];
    check_planes(tree, n_leaves);
    if (!oblivious_) check_leaves(tree, n_leaves);
  }

 private:
  // No more planes than codes need: tables have an entry for each code.
  void check_planes(std::size_t tree, std::uint32_t n_leaves) const {
    const std::size_t begin = arrays_.plane_offsets[tree], end = arrays_.plane_offsets[tree + 1];
    const auto needed = static_cast<std::size_t>(std::bit_width(n_leaves - 1));
    if (end - begin != needed || needed > kMaxCodePlanes) {
      reject(name_of(tree) + " has " + std::to_string(end - begin) + " planes for " +
             std::to_string(n_leaves) + " leaves");
    }
    for (std::size_t i = begin; i < end; ++i) {
      if (!logic_.has_value(arrays_.planes[i])) {
        reject(name_of(tree) + ": planes[" + std::to_string(i) + "] is vector " +
               std::to_string(arrays_.planes[i]) + ", neither a predicate nor written by the tree");
      }
    }
  }
  // As many as the tree has, each once.
  void check_leaves(std::size_t tree, std::uint32_t n_leaves) {
    const std::uint32_t first = forest_.tree_leaves[tree];
    ++tree_;
    for (std::uint32_t i = first; i < first + n_leaves; ++i) {
      const std::uint32_t leaf = arrays_.code_leaves[i];
      if (leaf >= n_leaves) reject_leaf(tree, i, " is no leaf");
      if (met_in_[leaf] == tree_) reject_leaf(tree, i, " is the leaf of two codes");
      met_in_[leaf] = tree_;
    }
  }
  [[nodiscard]] static std::string name_of(std::size_t tree) { return "tree " + std::to_string(tree); }
  [[noreturn]] static void reject_leaf(std::size_t tree, std::uint32_t i, const char* why) {
    reject(name_of(tree) + ": code_leaves[" + std::to_string(i) + "]" + why);
  }

  const ForestArrays& forest_;
  const BitsliceArrays& arrays_;
  bool oblivious_;
  LogicCheck logic_;
  std::uint32_t tree_ = 0;                                                   // how many were checked
  std::array<std::uint32_t, std::size_t{1} << kMaxCodePlanes> met_in_ = {};  // by leaf: the last such tree
};

}  // namespace

void check_bitslice(const ForestArrays& forest, const BitsliceArrays& arrays) {
  const std::size_t n_trees = forest.tree_roots.size() - 1;
  const std::size_t n_segments = forest.segment_views.size() - 1;
  if (arrays.predicate_offsets.empty()) {
    for_each_bitslice_tensor(arrays, [](const char* name, const auto& array) {
      if (!array.empty()) reject(std::string(name) + " has elements, yet predicate_offsets has none");
    });
    return;
  }
  const bool oblivious = (forest.header[static_cast<std::size_t>(Header::flags)] &
                          static_cast<std::uint32_t>(Flag::oblivious)) != 0;
  check_offsets("predicate_offsets", arrays.predicate_offsets, n_segments, arrays.predicates.size());
  check_offsets("logic_offsets", arrays.logic_offsets, n_trees, arrays.logic.size());
  check_offsets("plane_offsets", arrays.plane_offsets, n_trees, arrays.planes.size());
  const std::size_t n_leaves = oblivious ? 0 : forest.leaf_ids.size();
  if (arrays.code_leaves.size() != n_leaves) {
    reject("code_leaves has " + std::to_string(arrays.code_leaves.size()) + " elements, expected " +
           std::to_string(n_leaves));
  }
  TreeCheck trees(forest, arrays, oblivious);
  for (std::size_t s = 0; s < n_segments; ++s) {
    check_predicates(forest, arrays, s);
    const std::size_t n_predicates = arrays.predicate_offsets[s + 1] - arrays.predicate_offsets[s];
    for (std::size_t t = forest.segment_trees[s]; t < forest.segment_trees[s + 1]; ++t)
      trees.run(t, n_predicates);
  }
}

}  // namespace shortlist::trees
