// Ranks by a threshold tree held in registers. Included after a vec/search header.
//
// A row's place within a level is where the levels above sent it, their decisions from the lowest bit up: a
// permutation by that place finds the threshold, and the comparisons of a level are themselves a plane.
#pragma once

namespace {

template <class L, std::uint32_t kLevel>
inline constexpr std::uint32_t kLevelRegisters = (1u << kLevel) <= L::kLanes ? 1 : (1u << kLevel) / L::kLanes;

template <class L>
constexpr std::uint32_t first_register(std::uint32_t level) {
  std::uint32_t sum = 0;
  for (std::uint32_t l = 0; l < level; ++l) sum += (1u << l) <= L::kLanes ? 1 : (1u << l) / L::kLanes;
  return sum;
}

template <class L, std::uint32_t kLevel>
inline void load_level(const typename L::Number* tree, typename L::Vector* registers) {
  if constexpr (kLevel == 0) {
    registers[0] = L::repeat(tree[0]);
  } else {
    for (std::uint32_t i = 0; i < kLevelRegisters<L, kLevel>; ++i) {
      registers[first_register<L>(kLevel) + i] =
          L::load(tree + shortlist::tree_offset(kLevel) + std::size_t{i} * L::kLanes);
    }
  }
}

template <class L, std::uint32_t kLevel, std::uint32_t kLevels>
inline void load_levels(const typename L::Number* tree, typename L::Vector* registers) {
  if constexpr (kLevel < kLevels) {
    load_level<L, kLevel>(tree, registers);
    load_levels<L, kLevel + 1, kLevels>(tree, registers);
  }
}

// Level l decides plane n_levels - 1 - l; `planes` is where these rows' bits of plane 0 go.
template <class L, std::uint32_t kLevel, std::uint32_t kLevels>
inline void decide_levels(typename L::Vector x, const typename L::Vector* registers, typename L::Index place,
                          typename L::Mask* decided, std::uint32_t n_levels, std::byte* planes,
                          std::size_t stride) {
  if constexpr (kLevel < kLevels) {
    typename L::Vector threshold = registers[0];
    if constexpr (kLevel > 0) {
      threshold = L::template look_up<kLevelRegisters<L, kLevel>>(registers + first_register<L>(kLevel),
                                                                  place, decided);
    }
    decided[kLevel] = L::greater(x, threshold);
    L::store(decided[kLevel], planes + (n_levels - 1 - kLevel) * stride);
    decide_levels<L, kLevel + 1, kLevels>(x, registers, L::add_where(place, decided[kLevel], 1u << kLevel),
                                          decided, n_levels, planes, stride);
  }
}

// kLevels levels in registers, the rest of the levels by gathers from the sorted thresholds.
template <class L, std::uint32_t kLevels, bool kDeep>
void rank_levels(const typename L::Number* numbers, const shortlist::RankTables<typename L::Number>& tables,
                 const shortlist::PlaneOutput& out) {
  typename L::Vector registers[first_register<L>(kLevels) + 1];
  load_levels<L, 0, kLevels>(tables.tree, registers);
  const std::uint32_t n_levels = kDeep ? tables.n_levels : kLevels;
  const typename L::Vector threshold_of_zero = L::repeat(static_cast<typename L::Number>(1e-35f));
  for (std::size_t row = 0; row < shortlist::kPlaneRows; row += L::kLanes) {
    const typename L::Vector x = L::load(numbers + row);
    typename L::Mask decided[kLevels + 1];
    std::byte* const planes = out.planes + row / 8;
    decide_levels<L, 0, kLevels>(x, registers, L::none(), decided, n_levels, planes, out.stride);
    if constexpr (kDeep) {
      typename L::Index position = L::none();
      for (std::uint32_t level = 0; level < kLevels; ++level)
        position = L::add_where(position, decided[level], 1u << (n_levels - 1 - level));
      for (std::uint32_t j = n_levels - kLevels; j-- > 0;) {
        const typename L::Vector threshold = L::gather(tables.sorted + (std::size_t{1} << j) - 1, position);
        const typename L::Mask greater = L::greater(x, threshold);
        L::store(greater, planes + j * out.stride);
        position = L::add_where(position, greater, 1u << j);
      }
    }
    if (out.nan != nullptr) L::store(L::unordered(x), out.nan + row / 8);
    if (out.zero != nullptr) L::store(L::not_greater(L::magnitude(x), threshold_of_zero), out.zero + row / 8);
  }
}

template <class L>
void rank_in_registers(const typename L::Number* numbers,
                       const shortlist::RankTables<typename L::Number>& tables,
                       const shortlist::PlaneOutput& out) noexcept {
  switch (tables.n_levels) {
    case 0:
      return rank_levels<L, 0, false>(numbers, tables, out);
    case 1:
      return rank_levels<L, 1, false>(numbers, tables, out);
    case 2:
      return rank_levels<L, 2, false>(numbers, tables, out);
    case 3:
      return rank_levels<L, 3, false>(numbers, tables, out);
    case 4:
      return rank_levels<L, 4, false>(numbers, tables, out);
    case 5:
      return rank_levels<L, 5, false>(numbers, tables, out);
    case 6:
      return rank_levels<L, 6, false>(numbers, tables, out);
    case 7:
      return rank_levels<L, 7, false>(numbers, tables, out);
    case 8:
      return rank_levels<L, 8, false>(numbers, tables, out);
    default:
      return rank_levels<L, shortlist::kTreeLevels, true>(numbers, tables, out);
  }
}

}  // namespace
