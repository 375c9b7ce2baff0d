// What a forest looks like in memory: nodes of eight bytes and columns of ranks in groups of rows.
#pragma once

#include <cstddef>
#include <cstdint>

namespace shortlist::trees {

// Rows are walked in groups of this many; a view of a group is this many ranks side by side.
inline constexpr std::size_t kGroupRows = 8;
inline constexpr std::uint16_t kLeafRank = 65535;  // no rank is greater, so a leaf never moves on
inline constexpr std::uint16_t kMissingRight = 65535;
inline constexpr std::size_t kMaxThresholds = 65534;  // of one column: ranks stay below kMissingRight
inline constexpr std::size_t kMaxCodes = 65533;       // of one column: two more stand for missing and unknown
inline constexpr std::size_t kMaxViews = 32767;       // twice a view fits the 16 bits of Node::slot
inline constexpr std::size_t kMaxObliviousDepth = 28;

// The next node is left + (rank of the row in the node's view > rank): right stands at left + 1.
// A leaf has left == itself and rank == kLeafRank.
struct Node {
  std::uint16_t rank;  // of a node that asks for a set: which of the tree's bitsets
  std::uint16_t slot;  // 2 * view, + 1 at a node that asks for a set
  std::uint32_t left;
};
static_assert(sizeof(Node) == 8);

// How a view turns what is missing, or a category, into a rank.
enum class ViewKind : std::uint8_t {
  none = 0,         // NaN counts as 0.0
  nan_left = 1,     // NaN goes left
  nan_right = 2,    // NaN goes right
  zero_left = 3,    // NaN and |x| <= 1e-35f go left
  zero_right = 4,   // NaN and |x| <= 1e-35f go right
  category = 5,     // key: x truncated, where -1 < x < 2^31
  category_24 = 6,  // key: x truncated, where 0 <= x < 2^24
  value = 7,        // key: x itself
  hashed = 8,       // key: CatBoost's hash of the category
};
inline constexpr std::uint8_t kViewKinds = 9;

[[nodiscard]] constexpr bool asks_for_set(ViewKind kind) noexcept { return kind >= ViewKind::category; }

}  // namespace shortlist::trees
