#include "trees/bitslice/check.hpp"

#include <algorithm>
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

void check_predicates(const ForestArrays& forest, const BitsliceArrays& arrays, std::size_t segment) {
  const std::uint32_t first_view = forest.segment_views[segment];
  const std::uint32_t n_views = forest.segment_views[segment + 1] - first_view;
  const std::size_t begin = arrays.predicate_offsets[segment], end = arrays.predicate_offsets[segment + 1];
  for (std::size_t i = begin; i < end; ++i) {
    const std::uint64_t asked = arrays.predicates[i];
    const std::string name = "predicates[" + std::to_string(i) + "]";
    if (i > begin && arrays.predicates[i - 1] >= asked) reject(name + " does not ascend");
    if (view_of(asked) >= n_views) reject(name + " asks for view " + std::to_string(view_of(asked)));
    const auto kind = static_cast<ViewKind>(forest.view_kinds[first_view + view_of(asked)]);
    const std::size_t n = asks_for_set(kind) ? forest.bitset_offsets.size() - 1 : kMaxThresholds;
    if (asked_of(asked) >= n) reject(name + " asks for " + std::to_string(asked_of(asked)));
  }
}

void check_tree(const ForestArrays& forest, const BitsliceArrays& arrays, std::size_t tree,
                std::size_t n_predicates, bool oblivious) {
  const std::size_t n_leaves = forest.tree_leaves[tree + 1] - forest.tree_leaves[tree];
  const std::size_t begin = arrays.plane_offsets[tree], end = arrays.plane_offsets[tree + 1];
  const std::string name = "tree " + std::to_string(tree);
  if (end - begin > kMaxCodePlanes || n_leaves > std::size_t{1} << (end - begin))
    reject(name + " has " + std::to_string(end - begin) + " planes for " + std::to_string(n_leaves) +
           " leaves");
  for (std::size_t i = begin; i < end; ++i) {
    if (arrays.planes[i] >= n_predicates + kMaxWritten)
      reject(name + ": planes[" + std::to_string(i) + "] is no vector");
  }
  if (oblivious) return;
  for (std::size_t i = forest.tree_leaves[tree]; i < forest.tree_leaves[tree + 1]; ++i) {
    if (arrays.code_leaves[i] >= n_leaves)
      reject(name + ": code_leaves[" + std::to_string(i) + "] is no leaf");
  }
}

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
  for (std::size_t s = 0; s < n_segments; ++s) {
    check_predicates(forest, arrays, s);
    const std::size_t n_predicates = arrays.predicate_offsets[s + 1] - arrays.predicate_offsets[s];
    for (std::size_t t = forest.segment_trees[s]; t < forest.segment_trees[s + 1]; ++t) {
      const std::size_t begin = arrays.logic_offsets[t], end = arrays.logic_offsets[t + 1];
      check_logic(arrays.logic.subspan(begin, end - begin), t, {n_predicates + kMaxWritten, n_predicates});
      check_tree(forest, arrays, t, n_predicates, oblivious);
    }
  }
}

}  // namespace shortlist::trees
