// Ranks by binary search, several rows side by side without a branch on what a comparison finds. Included
// after a vec/transpose header.
#pragma once

namespace {

template <class S>
void rank_by_search(const S* numbers, const shortlist::RankTables<S>& tables,
                    const shortlist::PlaneOutput& out) noexcept {
  constexpr std::size_t kSide = 8;
  alignas(64) std::uint16_t ranks[shortlist::kPlaneRows];
  alignas(64) std::uint16_t masks[shortlist::kPlaneRows];  // bit 0: NaN, bit 1: NaN or zero
  const std::uint32_t half = (1u << tables.n_levels) / 2;
  for (std::size_t row = 0; row < shortlist::kPlaneRows; row += kSide) {
    const S* const x = numbers + row;
    std::uint32_t position[kSide] = {};
    for (std::uint32_t step = half; step != 0; step /= 2) {
      const S* const probe = tables.sorted + step - 1;
#pragma GCC unroll 8
      for (std::size_t i = 0; i < kSide; ++i)
        position[i] += step & (0u - static_cast<std::uint32_t>(probe[position[i]] < x[i]));
    }
    for (std::size_t i = 0; i < kSide; ++i) ranks[row + i] = static_cast<std::uint16_t>(position[i]);
  }
  transpose_bits(ranks, tables.n_levels, out.planes, out.stride);

  if (out.nan == nullptr && out.zero == nullptr) return;
  const S threshold_of_zero = static_cast<S>(1e-35f);
  for (std::size_t row = 0; row < shortlist::kPlaneRows; ++row) {
    const S x = numbers[row];
    const bool zero = !(x > threshold_of_zero) & !(x < -threshold_of_zero);
    masks[row] = static_cast<std::uint16_t>((x != x ? 1 : 0) | (zero ? 2 : 0));
  }
  alignas(16) std::byte planes[2 * 16];
  transpose_bits(masks, 2, planes, 16);
  if (out.nan != nullptr) std::memcpy(out.nan, planes, 16);
  if (out.zero != nullptr) std::memcpy(out.zero, planes + 16, 16);
}

}  // namespace
