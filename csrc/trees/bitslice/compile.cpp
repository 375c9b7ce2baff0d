#include "trees/bitslice/compile.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <utility>

#include "trees/bitslice/registers.hpp"
#include "trees/bitslice/tree_steps.hpp"
#include "trees/check.hpp"
#include "trees/node.hpp"

namespace shortlist::trees {
namespace {

struct ParsedNode {
  explicit ParsedNode(std::uint64_t node)
      : rank(static_cast<std::uint32_t>(node & 0xffff)),
        view(static_cast<std::uint32_t>(node >> 16 & 0xffff)),
        left(static_cast<std::uint32_t>(node >> 32)) {}
  std::uint32_t rank, view, left;
};

bool is_oblivious(const ForestArrays& arrays) {
  return (arrays.header[static_cast<std::size_t>(Header::flags)] &
          static_cast<std::uint32_t>(Flag::oblivious)) != 0;
}

// Sets of the same codes are the same predicate.
class Sets {
 public:
  explicit Sets(const ForestArrays& arrays) : arrays_(arrays) {}

  // The first bitset over the forest with the same words, those of no code left out at the end.
  std::uint32_t representative(std::uint32_t bitset) {
    const auto begin = arrays_.bitset_words.begin() + arrays_.bitset_offsets[bitset];
    auto end = arrays_.bitset_words.begin() + arrays_.bitset_offsets[bitset + 1];
    while (end != begin && *(end - 1) == 0) --end;
    return first_.try_emplace(std::vector<std::uint32_t>(begin, end), bitset).first->second;
  }

 private:
  const ForestArrays& arrays_;
  std::map<std::vector<std::uint32_t>, std::uint32_t> first_;
};

class Compiler {
 public:
  explicit Compiler(const ForestArrays& arrays) : arrays_(arrays), sets_(arrays) {}

  BitsliceVectors compile() {
    made_.predicate_offsets.push_back(0);
    made_.logic_offsets.push_back(0);
    made_.plane_offsets.push_back(0);
    for (std::size_t s = 0; s + 1 < arrays_.segment_views.size(); ++s) compile_segment(s);
    return std::move(made_);
  }

 private:
  void compile_segment(std::size_t s) {
    const std::size_t first_tree = arrays_.segment_trees[s], last_tree = arrays_.segment_trees[s + 1];
    find_predicates(s);
    const std::span<const std::uint64_t> predicates =
        std::span(made_.predicates).subspan(made_.predicate_offsets.back());
    RegisterAllocator registers(static_cast<std::uint32_t>(predicates.size()));
    for (std::size_t t = first_tree; t < last_tree; ++t) {
      if (is_oblivious(arrays_)) {
        for (std::size_t i = arrays_.tree_roots[t]; i < arrays_.tree_roots[t + 1]; ++i)
          made_.planes.push_back(number_of(predicates, asked_at_[i - first_node_]));
      } else {
        compile_tree(t, predicates, registers);
      }
      made_.logic_offsets.push_back(static_cast<std::uint32_t>(made_.logic.size()));
      made_.plane_offsets.push_back(static_cast<std::uint32_t>(made_.planes.size()));
    }
    made_.predicate_offsets.push_back(static_cast<std::uint32_t>(made_.predicates.size()));
  }

  // What each node of the segment asks, and the distinct ones of these in order.
  void find_predicates(std::size_t s) {
    const bool oblivious = is_oblivious(arrays_);
    first_node_ = arrays_.tree_roots[arrays_.segment_trees[s]];
    const std::size_t last_node = arrays_.tree_roots[arrays_.segment_trees[s + 1]];
    asked_at_.assign(last_node - first_node_, 0);
    std::vector<std::uint64_t> asked;
    std::size_t tree = arrays_.segment_trees[s];
    for (std::size_t i = first_node_; i < last_node; ++i) {
      while (i >= arrays_.tree_roots[tree + 1]) ++tree;
      const ParsedNode node(arrays_.nodes[i]);
      if (!oblivious && node.left == i) continue;
      const std::uint32_t of_forest = arrays_.segment_views[s] + node.view;
      const bool set = asks_for_set(static_cast<ViewKind>(arrays_.view_kinds[of_forest]));
      const std::uint32_t what =
          set ? sets_.representative(arrays_.tree_bitsets[tree] + node.rank) : node.rank;
      asked_at_[i - first_node_] = predicate(node.view, what);
      asked.push_back(predicate(node.view, what));
    }
    std::sort(asked.begin(), asked.end());
    asked.erase(std::unique(asked.begin(), asked.end()), asked.end());
    made_.predicates.insert(made_.predicates.end(), asked.begin(), asked.end());
  }

  static std::uint32_t number_of(std::span<const std::uint64_t> predicates, std::uint64_t asked) {
    const auto found = std::lower_bound(predicates.begin(), predicates.end(), asked);
    return static_cast<std::uint32_t>(found - predicates.begin());
  }

  void compile_tree(std::size_t t, std::span<const std::uint64_t> predicates, RegisterAllocator& registers) {
    const std::size_t root = arrays_.tree_roots[t];
    nodes_.clear();
    for (std::size_t i = root; i < arrays_.tree_roots[t + 1]; ++i) {
      const ParsedNode node(arrays_.nodes[i]);
      if (node.left == i) {
        nodes_.push_back({0, 0});
      } else {
        nodes_.push_back({static_cast<std::uint32_t>(node.left - root),
                          number_of(predicates, asked_at_[i - first_node_])});
      }
    }
    const TreeSteps& steps = steps_.make(nodes_);
    registers.allocate(steps, made_.logic, made_.planes);
    made_.code_leaves.insert(made_.code_leaves.end(), steps.leaves.begin(), steps.leaves.end());
  }

  const ForestArrays& arrays_;
  Sets sets_;
  StepMaker steps_;
  BitsliceVectors made_;
  std::size_t first_node_ = 0;           // of the segment
  std::vector<std::uint64_t> asked_at_;  // by node of the segment
  std::vector<DecidingNode> nodes_;
};

}  // namespace

BitsliceVectors compile_bitslice(const ForestArrays& arrays) {
  static_cast<void>(check_forest(arrays));
  for (std::size_t t = 0; t + 1 < arrays.tree_leaves.size(); ++t) {
    if (arrays.tree_leaves[t + 1] - arrays.tree_leaves[t] > std::size_t{1} << kMaxCodePlanes) return {};
  }
  return Compiler(arrays).compile();
}

}  // namespace shortlist::trees
