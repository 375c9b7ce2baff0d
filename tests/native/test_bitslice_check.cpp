// Bit-sliced forms that break one rule each are refused by tree and array; what the compiler makes is not.
#include "trees/bitslice/check.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "check.hpp"
#include "random_forest.hpp"
#include "trees/bitslice/compile.hpp"

using namespace shortlist::trees;
using shortlist::Error;
using shortlist::ErrorCode;
using shortlist::LogicInstruction;
using shortlist::LogicOp;

namespace {

constexpr auto kOblivious = static_cast<std::uint32_t>(Flag::oblivious);

// Trees 0 to 5 in segment 0, 6 to 11 in segment 1, of 1, 5, 8 leaves in turn.
ForestShape small_trees() {
  return {.features = {{ViewKind::nan_left}, {ViewKind::category}},
          .n_leaves = {1, 5, 8},
          .trees_of_segment = 6,
          .n_segments = 2};
}
ForestShape oblivious_trees() {
  ForestShape shape = small_trees();
  shape.n_leaves = {1, 4, 8};
  shape.flags = kOblivious;
  return shape;
}

struct Sliced {
  explicit Sliced(const ForestShape& shape = small_trees())
      : forest(shape, 3), made(compile_bitslice(forest.arrays())) {}

  // What check_bitslice says, or nothing.
  [[nodiscard]] std::string refusal() const {
    try {
      check_bitslice(forest.arrays(), arrays_of(made));
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::invalid_format);
      return error.what();
    }
    return "";
  }
  [[nodiscard]] std::uint32_t n_predicates(std::size_t segment) const {
    return made.predicate_offsets[segment + 1] - made.predicate_offsets[segment];
  }
  // A program of its own for a tree, in place of the one it has.
  void set_program(std::size_t tree, const std::vector<LogicInstruction>& program) {
    const auto begin = made.logic.begin() + made.logic_offsets[tree];
    const auto end = made.logic.begin() + made.logic_offsets[tree + 1];
    const auto grows = static_cast<std::uint32_t>(program.size()) - static_cast<std::uint32_t>(end - begin);
    made.logic.insert(made.logic.erase(begin, end), program.begin(), program.end());
    for (std::size_t t = tree + 1; t < made.logic_offsets.size(); ++t) made.logic_offsets[t] += grows;
  }
  void add_plane(std::size_t tree, std::uint32_t vector) {
    made.planes.insert(made.planes.begin() + made.plane_offsets[tree + 1], vector);
    for (std::size_t t = tree + 1; t < made.plane_offsets.size(); ++t) ++made.plane_offsets[t];
  }
  void remove_plane(std::size_t tree) {
    made.planes.erase(made.planes.begin() + made.plane_offsets[tree + 1] - 1);
    for (std::size_t t = tree + 1; t < made.plane_offsets.size(); ++t) --made.plane_offsets[t];
  }

  RandomForest forest;
  BitsliceVectors made;
};

// The refusal of a form after one change.
template <class Change>
std::string refusal_after(const Change& change, const ForestShape& shape = small_trees()) {
  Sliced sliced(shape);
  change(sliced);
  return sliced.refusal();
}

}  // namespace

TEST_CASE(what_the_compiler_makes_is_accepted) {
  CHECK_EQ(Sliced().refusal(), "");
  CHECK_EQ(Sliced(oblivious_trees()).refusal(), "");
  for (const std::size_t n : {2u, 31u, 32u, 33u, 1024u, 1025u, 4096u}) {
    ForestShape shape = small_trees();
    shape.n_leaves = {n, n - 1};
    CHECK_EQ(Sliced(shape).refusal(), "");
  }
}

TEST_CASE(no_form_at_all_is_accepted_and_half_of_one_is_not) {
  CHECK_EQ(refusal_after([](Sliced& s) { s.made = {}; }), "");
  CHECK_EQ(refusal_after([](Sliced& s) { s.made.predicate_offsets.clear(); }),
           "compiled forest: predicates has elements, yet predicate_offsets has none");
}

TEST_CASE(offsets_cover_their_arrays) {
  CHECK_EQ(refusal_after([](Sliced& s) { s.made.logic_offsets[0] = 1; }).substr(0, 47),
           "compiled forest: logic_offsets do not ascend fr");
  CHECK_EQ(refusal_after([](Sliced& s) { s.made.plane_offsets.back() += 1; }).substr(0, 47),
           "compiled forest: plane_offsets do not ascend fr");
  CHECK_EQ(refusal_after([](Sliced& s) {
             std::swap(s.made.logic_offsets[3], s.made.logic_offsets[5]);
           }).substr(0, 47),
           "compiled forest: logic_offsets do not ascend fr");
  CHECK_EQ(refusal_after([](Sliced& s) { s.made.predicate_offsets.pop_back(); }).substr(0, 47),
           "compiled forest: predicate_offsets do not ascen");
}

TEST_CASE(predicates_ascend_and_ask_for_what_there_is) {
  CHECK_EQ(refusal_after([](Sliced& s) { std::swap(s.made.predicates[1], s.made.predicates[2]); }),
           "compiled forest: predicates[2] does not ascend");
  CHECK_EQ(refusal_after([](Sliced& s) { s.made.predicates[2] = s.made.predicates[1]; }),
           "compiled forest: predicates[2] does not ascend");
  const Sliced good;
  const std::size_t last = good.made.predicates.size() - 1;
  const std::string name = "compiled forest: predicates[" + std::to_string(last) + "]";
  CHECK_EQ(refusal_after([&](Sliced& s) { s.made.predicates[last] = predicate(2, 0); }),
           name + " asks for view 2");
  const auto n_sets = static_cast<std::uint32_t>(good.forest.vectors().bitset_offsets.size() - 1);
  CHECK_EQ(refusal_after([&](Sliced& s) { s.made.predicates[last] = predicate(1, n_sets); }),
           name + " asks for " + std::to_string(n_sets));
  CHECK_EQ(refusal_after([](Sliced& s) {
             for (std::uint32_t i = 0; i < s.n_predicates(0); ++i)
               s.made.predicates[i] = predicate(0, 65534 + i);
           }),
           "compiled forest: predicates[0] asks for 65534");
}

TEST_CASE(a_tree_has_as_many_planes_as_the_codes_of_its_leaves_need) {
  CHECK_EQ(refusal_after([](Sliced& s) { s.add_plane(1, 0); }),
           "compiled forest: tree 1 has 4 planes for 5 leaves");
  CHECK_EQ(refusal_after([](Sliced& s) { s.remove_plane(2); }),
           "compiled forest: tree 2 has 2 planes for 8 leaves");
  CHECK_EQ(refusal_after([](Sliced& s) { s.add_plane(3, 0); }),
           "compiled forest: tree 3 has 1 planes for 1 leaves");
  CHECK_EQ(refusal_after([](Sliced& s) {
             for (int i = 3; i < 12; ++i) s.add_plane(8, 0);
           }),
           "compiled forest: tree 8 has 12 planes for 8 leaves");
  CHECK_EQ(refusal_after([](Sliced& s) { s.add_plane(4, 0); }, oblivious_trees()),
           "compiled forest: tree 4 has 3 planes for 4 leaves");
  CHECK_EQ(refusal_after([](Sliced& s) { s.remove_plane(4); }, oblivious_trees()),
           "compiled forest: tree 4 has 1 planes for 4 leaves");
}

TEST_CASE(a_plane_is_a_predicate_or_what_the_tree_itself_wrote) {
  const Sliced good;
  const auto refusal_of = [&](std::size_t tree, std::uint32_t vector) {
    const std::uint32_t plane = good.made.plane_offsets[tree];
    const std::string got = refusal_after([&](Sliced& s) { s.made.planes[plane] = vector; });
    const std::string wanted = "compiled forest: tree " + std::to_string(tree) + ": planes[" +
                               std::to_string(plane) + "] is vector " + std::to_string(vector) +
                               ", neither a predicate nor written by the tree";
    return std::pair(got, wanted);
  };
  for (const std::size_t tree : {1u, 8u}) {
    const std::uint32_t n = good.n_predicates(tree < 6 ? 0 : 1);
    const auto end = n + static_cast<std::uint32_t>(kMaxWritten);
    for (const std::uint32_t vector : {end - 1, end, 0xffffffffu}) {
      const auto [got, wanted] = refusal_of(tree, vector);
      CHECK_EQ(got, wanted);
    }
    CHECK_EQ(refusal_of(tree, n - 1).first, "");
  }
  // What an earlier tree of the segment wrote.
  const std::uint32_t n = good.n_predicates(0);
  Sliced changed;
  changed.set_program(1, {{LogicOp::load, 0, 0, 0, 0}, {LogicOp::store, 0, 0, 0, n + 77}});
  for (std::uint32_t i = 0; i < 3; ++i) changed.made.planes[changed.made.plane_offsets[1] + i] = n + 77;
  CHECK_EQ(changed.refusal(), "");
  changed.set_program(2, {});
  for (std::uint32_t i = 0; i < 3; ++i) changed.made.planes[changed.made.plane_offsets[2] + i] = n + 77;
  CHECK_EQ(changed.refusal(), "compiled forest: tree 2: planes[" +
                                  std::to_string(changed.made.plane_offsets[2]) + "] is vector " +
                                  std::to_string(n + 77) + ", neither a predicate nor written by the tree");
}

TEST_CASE(planes_of_oblivious_trees_are_predicates) {
  const Sliced good(oblivious_trees());
  const std::uint32_t plane = good.made.plane_offsets[4];
  CHECK_EQ(refusal_after([&](Sliced& s) { s.made.planes[plane] = s.n_predicates(0); }, oblivious_trees()),
           "compiled forest: tree 4: planes[" + std::to_string(plane) + "] is vector " +
               std::to_string(good.n_predicates(0)) + ", neither a predicate nor written by the tree");
}

TEST_CASE(programs_read_what_they_stored_and_no_other_vector_that_is_written) {
  const std::uint32_t n = Sliced().n_predicates(0);
  const LogicInstruction load{LogicOp::load, 0, 0, 0, 0}, store{LogicOp::store, 0, 0, 0, n + 5};
  const LogicInstruction load_back{LogicOp::load, 0, 1, 0, n + 5};
  CHECK_EQ(refusal_after([&](Sliced& s) { s.set_program(0, {load, store, load_back}); }), "");
  CHECK_EQ(refusal_after([&](Sliced& s) { s.set_program(0, {load, load_back}); }),
           "logic program 0, instruction 1: reads a vector before it is written");
  CHECK_EQ(refusal_after([&](Sliced& s) {
             s.set_program(0, {load, store});
             s.set_program(3, {load, load_back});
           }),
           "logic program 3, instruction 1: reads a vector before it is written");
  const LogicInstruction too_far{LogicOp::store, 0, 0, 0, n + static_cast<std::uint32_t>(kMaxWritten)};
  CHECK_EQ(refusal_after([&](Sliced& s) { s.set_program(3, {load, too_far}); }),
           "logic program 3, instruction 1: no such vector");
}

TEST_CASE(codes_stand_for_each_leaf_of_their_tree_once) {
  const std::uint32_t first = Sliced().forest.vectors().tree_leaves[8];
  const auto element = [](std::uint32_t i) {
    return "compiled forest: tree 8: code_leaves[" + std::to_string(i) + "]";
  };
  CHECK_EQ(refusal_after([&](Sliced& s) { s.made.code_leaves[first + 2] = 8; }),
           element(first + 2) + " is no leaf");
  CHECK_EQ(refusal_after([&](Sliced& s) { s.made.code_leaves[first + 6] = s.made.code_leaves[first + 2]; }),
           element(first + 6) + " is the leaf of two codes");
  CHECK_EQ(
      refusal_after([&](Sliced& s) { std::swap(s.made.code_leaves[first], s.made.code_leaves[first + 7]); }),
      "");
  CHECK_EQ(refusal_after([](Sliced& s) { s.made.code_leaves.pop_back(); }),
           "compiled forest: code_leaves has 55 elements, expected 56");
  CHECK_EQ(refusal_after([](Sliced& s) { s.made.code_leaves.push_back(0); }, oblivious_trees()),
           "compiled forest: code_leaves has 1 elements, expected 0");
}

TEST_CASE(larger_trees_than_codes_reach_are_refused) {
  ForestShape shape = oblivious_trees();
  shape.n_leaves = {8192};
  shape.n_segments = shape.trees_of_segment = 1;
  Sliced sliced(shape);
  CHECK(sliced.made.predicate_offsets.empty());
  sliced.made = {.predicate_offsets = {0, 1},
                 .predicates = {predicate(0, 0)},
                 .logic_offsets = {0, 0},
                 .logic = {},
                 .plane_offsets = {0, 13},
                 .planes = std::vector<std::uint32_t>(13, 0),
                 .code_leaves = {}};
  CHECK_EQ(sliced.refusal(), "compiled forest: tree 0 has 13 planes for 8192 leaves");
}
