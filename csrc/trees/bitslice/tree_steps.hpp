// A tree as steps of bitwise logic: which leaf a row reaches, one bit of the leaf's code at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "trees/bitslice/truth_table.hpp"

namespace shortlist::trees {

// A node of one tree, children behind their parents: goes to `left` + 1 where the predicate holds, else to
// `left`. A leaf has left == 0.
struct DecidingNode {
  std::uint32_t left;
  std::uint32_t predicate;
};

// Step i computes variable ~i.
struct TreeSteps {
  std::vector<TruthTable> steps;
  std::vector<PlaneVar> planes;       // of the code, lowest bit first
  std::vector<std::uint32_t> leaves;  // code -> leaf, counted in the order of the nodes
};

// Makes the steps of trees, one after another; keeps its memory between them.
class StepMaker {
 public:
  // Codes count the leaves, the larger subtree's first: long common prefixes need few steps.
  // The result is valid until the next call.
  [[nodiscard]] const TreeSteps& make(std::span<const DecidingNode> nodes);

 private:
  void count_leaves(std::span<const DecidingNode> nodes);
  void push_leaf(std::uint32_t node);
  void merge(const DecidingNode& node, bool right_first);
  [[nodiscard]] TruthTable select(PlaneVar predicate, TruthTable& low, TruthTable& high);
  PlaneVar compute(TruthTable& function);

  TreeSteps made_;
  std::size_t n_planes_ = 0;
  std::vector<std::uint32_t> n_leaves_;      // below each node
  std::vector<std::uint32_t> leaf_numbers_;  // of each node that is a leaf
  std::vector<TruthTable> values_;           // a stack, n_planes_ for each subtree that is done
};

}  // namespace shortlist::trees
