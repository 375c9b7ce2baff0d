// The bit-sliced form of a forest, beside its nodes: tensors of the compiled form, all empty where a forest
// has none. check.cpp says what must hold.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/logic.hpp"

namespace shortlist::trees {

// Larger trees are walked: their programs grow with the tree, a walk with its depth.
inline constexpr std::size_t kMaxCodePlanes = 12;

// Vectors that the program of a tree may write, behind its segment's predicates.
inline constexpr std::size_t kMaxWritten = 4096;

// A predicate holds where a node sends a row right: a view (counted in its segment) << 32 and what the row is
// asked there: whether its rank is above this one, or its code outside this bitset (counted over the forest).
[[nodiscard]] constexpr std::uint64_t predicate(std::uint32_t view, std::uint32_t asked) noexcept {
  return std::uint64_t{view} << 32 | asked;
}
[[nodiscard]] constexpr std::uint32_t view_of(std::uint64_t predicate) noexcept {
  return static_cast<std::uint32_t>(predicate >> 32);
}
[[nodiscard]] constexpr std::uint32_t asked_of(std::uint64_t predicate) noexcept {
  return static_cast<std::uint32_t>(predicate);
}

// A program's memory: one vector for each predicate of its segment, then those that it writes, which have no
// value before.
template <template <class> class Array>
struct BitsliceParts {
  Array<std::uint32_t> predicate_offsets;  // [n_segments + 1] into predicates
  Array<std::uint64_t> predicates;         // distinct and ascending in a segment
  Array<std::uint32_t> logic_offsets;      // [n_trees + 1] into logic
  Array<LogicInstruction> logic;
  Array<std::uint32_t> plane_offsets;  // [n_trees + 1] into planes
  // The vector of each bit of the code of a row's leaf, lowest bit first: as many bits as the tree's last
  // code has, in oblivious trees one for each level.
  Array<std::uint32_t> planes;
  // Codes 0 up to the tree's leaves: the leaf, counted within the tree, each once. Empty in oblivious
  // forests, where the code is the leaf's number.
  Array<std::uint32_t> code_leaves;
};

template <class T>
using ConstSpan = std::span<const T>;
template <class T>
using Vector = std::vector<T>;
using BitsliceArrays = BitsliceParts<ConstSpan>;
using BitsliceVectors = BitsliceParts<Vector>;

// Instructions as files hold them: numbers of 64 bits, the operation in the lowest byte.
[[nodiscard]] inline std::span<const LogicInstruction> instructions(
    std::span<const std::uint64_t> words) noexcept {
  static_assert(std::endian::native == std::endian::little);
  return {reinterpret_cast<const LogicInstruction*>(words.data()), words.size()};
}

// Calls visit(name, array) for each tensor.
template <class Parts, class Visit>
void for_each_bitslice_tensor(Parts& parts, Visit&& visit) {
  visit("predicate_offsets", parts.predicate_offsets);
  visit("predicates", parts.predicates);
  visit("logic_offsets", parts.logic_offsets);
  visit("logic", parts.logic);
  visit("plane_offsets", parts.plane_offsets);
  visit("planes", parts.planes);
  visit("code_leaves", parts.code_leaves);
}

}  // namespace shortlist::trees
