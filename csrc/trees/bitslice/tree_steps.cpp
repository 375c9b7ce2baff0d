#include "trees/bitslice/tree_steps.hpp"

#include <bit>
#include <cstddef>

namespace shortlist::trees {
namespace {

struct Visit {
  std::uint32_t node;
  bool children_done;
};

}  // namespace

const TreeSteps& StepMaker::make(std::span<const DecidingNode> nodes) {
  made_.steps.clear();
  made_.planes.clear();
  made_.leaves.clear();
  values_.clear();
  count_leaves(nodes);
  n_planes_ = static_cast<std::size_t>(std::bit_width(n_leaves_[0] - 1));

  const auto right_first = [&](const DecidingNode& node) {
    return n_leaves_[node.left + 1] > n_leaves_[node.left];
  };
  std::vector<Visit> waiting = {{0, false}};
  while (!waiting.empty()) {
    const Visit visit = waiting.back();
    waiting.pop_back();
    const DecidingNode& node = nodes[visit.node];
    if (node.left == 0) {
      push_leaf(visit.node);
    } else if (visit.children_done) {
      merge(node, right_first(node));
    } else {
      const std::uint32_t first = node.left + (right_first(node) ? 1 : 0);
      const std::uint32_t second = node.left + (right_first(node) ? 0 : 1);
      waiting.push_back({visit.node, true});
      waiting.push_back({second, false});
      waiting.push_back({first, false});
    }
  }
  for (TruthTable& value : values_) {
    const bool plain = value.n == 1 && value.table == kIdentity;
    made_.planes.push_back(plain ? value.vars[0] : compute(value));
  }
  return made_;
}

void StepMaker::count_leaves(std::span<const DecidingNode> nodes) {
  n_leaves_.assign(nodes.size(), 0);
  leaf_numbers_.assign(nodes.size(), 0);
  std::uint32_t leaf = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i) leaf_numbers_[i] = nodes[i].left == 0 ? leaf++ : 0;
  for (std::size_t i = nodes.size(); i-- > 0;) {
    const std::uint32_t left = nodes[i].left;
    n_leaves_[i] = left == 0 ? 1 : n_leaves_[left] + n_leaves_[left + 1];
  }
}

void StepMaker::push_leaf(std::uint32_t node) {
  const std::size_t code = made_.leaves.size();
  made_.leaves.push_back(leaf_numbers_[node]);
  for (std::size_t plane = 0; plane < n_planes_; ++plane)
    values_.push_back(constant((code >> plane & 1) != 0));
}

// The two subtrees on top of the stack become one.
void StepMaker::merge(const DecidingNode& node, bool right_first) {
  TruthTable* const first = values_.data() + values_.size() - 2 * n_planes_;
  TruthTable* const second = first + n_planes_;
  for (std::size_t plane = 0; plane < n_planes_; ++plane) {
    TruthTable& low = right_first ? second[plane] : first[plane];
    TruthTable& high = right_first ? first[plane] : second[plane];
    first[plane] = select(static_cast<PlaneVar>(node.predicate), low, high);
  }
  values_.resize(values_.size() - n_planes_);
}

// predicate ? high : low. Computes one of the two, or both, where three variables are not enough.
TruthTable StepMaker::select(PlaneVar predicate, TruthTable& low, TruthTable& high) {
  if (low.n == 0 && high.n == 0) {
    if (low.table == high.table) return low;
    return {1, low.table == 0 ? kIdentity : kInverse, {predicate, 0, 0}};
  }
  VarSet set;
  while (true) {
    set = VarSet{};
    set.add(predicate);
    set.add(low);
    set.add(high);
    if (set.n <= 3) break;
    compute(low.n >= high.n ? low : high);
  }
  // Where the predicate, variable 0, is 1: the upper half of the table.
  const unsigned table = (table_over(high, set) & 0xf0u) | (table_over(low, set) & 0x0fu);
  return reduced(set, static_cast<std::uint8_t>(table));
}

PlaneVar StepMaker::compute(TruthTable& function) {
  const PlaneVar var = ~static_cast<PlaneVar>(made_.steps.size());
  made_.steps.push_back(function);
  function = variable(var);
  return var;
}

}  // namespace shortlist::trees
