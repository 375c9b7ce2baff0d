// Functions of up to three variables as truth tables, put together before any of them is computed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace shortlist::trees {

// A plane of bits: a predicate (0 and up), or what step ~v computes (below 0).
using PlaneVar = std::int32_t;

// The value at (v0, v1, v2) is bit 4 v0 + 2 v1 + v2 of `table`; it does not depend on variables from `n` on.
struct TruthTable {
  std::uint8_t n = 0;
  std::uint8_t table = 0;
  std::array<PlaneVar, 3> vars = {};
};

inline constexpr std::uint8_t kIdentity = 0xf0;  // of the first variable
inline constexpr std::uint8_t kInverse = 0x0f;

[[nodiscard]] constexpr TruthTable constant(bool bit) noexcept {
  return {0, static_cast<std::uint8_t>(bit ? 0xff : 0), {}};
}
[[nodiscard]] constexpr TruthTable variable(PlaneVar var) noexcept { return {1, kIdentity, {var, 0, 0}}; }

// The distinct variables of some functions; more than 8 never meet.
struct VarSet {
  std::array<PlaneVar, 8> vars = {};
  std::size_t n = 0;

  void add(PlaneVar var) noexcept {
    for (std::size_t i = 0; i < n; ++i) {
      if (vars[i] == var) return;
    }
    vars[n++] = var;
  }
  void add(const TruthTable& function) noexcept {
    for (std::size_t i = 0; i < function.n; ++i) add(function.vars[i]);
  }
};

// The function's table over three other variables, among which its own are.
[[nodiscard]] constexpr std::uint8_t table_over(const TruthTable& function, const VarSet& set) noexcept {
  std::array<unsigned, 3> weights = {};  // of each of the set's variables in the function's own index
  for (std::size_t i = 0; i < function.n; ++i) {
    for (std::size_t k = 0; k < set.n && k < 3; ++k) {
      if (set.vars[k] == function.vars[i]) weights[k] = 4u >> i;
    }
  }
  unsigned table = 0;
  for (unsigned at = 0; at < 8; ++at) {
    const unsigned own = (at >> 2 & 1u) * weights[0] + (at >> 1 & 1u) * weights[1] + (at & 1u) * weights[2];
    table |= (function.table >> own & 1u) << at;
  }
  return static_cast<std::uint8_t>(table);
}

// Leaves out variables that the value does not depend on.
[[nodiscard]] constexpr TruthTable reduced(const VarSet& set, std::uint8_t table) noexcept {
  // Where variable i is 0, and how far away the same entry is with a 1.
  constexpr std::array<std::uint8_t, 3> kZero = {0x0f, 0x33, 0x55};
  constexpr std::array<unsigned, 3> kDistance = {4, 2, 1};
  VarSet kept;
  for (std::size_t i = 0; i < set.n; ++i) {
    if (((table >> kDistance[i] ^ table) & kZero[i]) != 0) kept.vars[kept.n++] = set.vars[i];
  }
  const TruthTable whole{3, table, {set.vars[0], set.vars[1], set.vars[2]}};
  if (kept.n == set.n) return {static_cast<std::uint8_t>(set.n), table, whole.vars};
  // Entries with the variables that do not matter at 0.
  TruthTable smaller{static_cast<std::uint8_t>(kept.n), 0, {kept.vars[0], kept.vars[1], kept.vars[2]}};
  unsigned bits = 0;
  for (unsigned at = 0; at < 8; ++at) {
    unsigned index = 0;
    std::size_t place = 0;
    for (std::size_t i = 0; i < set.n; ++i) {
      if (place < kept.n && kept.vars[place] == set.vars[i]) {
        if ((at >> (2 - place) & 1u) != 0) index |= 4u >> i;
        ++place;
      }
    }
    bits |= (table >> index & 1u) << at;
  }
  smaller.table = static_cast<std::uint8_t>(bits);
  return smaller;
}

// The same function with its variables in another order: operand i is variable order[i].
[[nodiscard]] constexpr std::uint8_t reordered(std::uint8_t table, std::array<unsigned, 3> order) noexcept {
  unsigned bits = 0;
  for (unsigned at = 0; at < 8; ++at) {
    unsigned own = 0;
    for (unsigned i = 0; i < 3; ++i) {
      if ((at >> (2 - i) & 1u) != 0) own |= 4u >> order[i];
    }
    bits |= (table >> own & 1u) << at;
  }
  return static_cast<std::uint8_t>(bits);
}

}  // namespace shortlist::trees
