#include "trees/bitslice/view_planes.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "trees/node.hpp"

namespace shortlist::trees {
namespace {

// Byte j of the result has bit j of each of the eight bytes.
std::uint64_t transposed(std::uint64_t bits) noexcept {
  std::uint64_t swap = (bits ^ bits >> 7) & 0x00aa00aa00aa00aaULL;
  bits ^= swap ^ swap << 7;
  swap = (bits ^ bits >> 14) & 0x0000cccc0000ccccULL;
  bits ^= swap ^ swap << 14;
  swap = (bits ^ bits >> 28) & 0x00000000f0f0f0f0ULL;
  return bits ^ swap ^ swap << 28;
}

}  // namespace

ViewPlanes::ViewPlanes(const ForestArrays& forest, const BitsliceArrays& sliced, std::size_t segment) {
  const std::uint32_t first_view = forest.segment_views[segment];
  views_.resize(forest.segment_views[segment + 1] - first_view);
  for (std::size_t v = 0; v < views_.size(); ++v) {
    if (!asks_for_set(static_cast<ViewKind>(forest.view_kinds[first_view + v]))) continue;
    const std::uint32_t column = forest.view_columns[first_view + v];
    std::uint16_t most = 0;
    for (std::uint32_t i = forest.key_offsets[column]; i < forest.key_offsets[column + 1]; ++i)
      most = std::max(most, forest.key_codes[i]);
    views_[v].most = static_cast<std::uint16_t>(most + 2);  // missing and unknown
  }
  for (std::size_t i = sliced.predicate_offsets[segment]; i < sliced.predicate_offsets[segment + 1]; ++i) {
    const std::uint64_t asked = sliced.predicates[i];
    View& view = views_[view_of(asked)];
    const auto kind = static_cast<ViewKind>(forest.view_kinds[first_view + view_of(asked)]);
    if (!asks_for_set(kind)) view.most = std::max(view.most, static_cast<std::uint16_t>(asked_of(asked) + 1));
  }
  for (View& view : views_) {
    view.first_vector = static_cast<std::uint32_t>(n_vectors_);
    view.n_planes = static_cast<std::uint16_t>(std::bit_width(view.most));
    n_vectors_ += view.n_planes;
  }
}

RankPlanes ViewPlanes::of_view(std::size_t view, const std::byte* vectors,
                               std::size_t vector_bytes) const noexcept {
  return {vectors + views_[view].first_vector * vector_bytes, views_[view].n_planes};
}

void ViewPlanes::transpose(const std::uint16_t* ranks, std::size_t n, std::size_t vector_bytes,
                           std::byte* vectors) const noexcept {
  static_assert(kGroupRows == 8);
  const std::size_t n_groups = (n + kGroupRows - 1) / kGroupRows;
  for (std::size_t group = 0; group < vector_bytes; ++group) {
    const std::uint16_t* const of_group = ranks + group * views_.size() * kGroupRows;
    for (std::size_t v = 0; v < views_.size(); ++v) {
      const View view = views_[v];
      std::uint64_t low = 0, high = 0;
      const std::size_t rows = group + 1 < n_groups ? kGroupRows
                               : group < n_groups   ? n - group * kGroupRows
                                                    : 0;
      for (std::size_t row = 0; row < rows; ++row) {
        const std::uint64_t rank = std::min(of_group[v * kGroupRows + row], view.most);
        low |= (rank & 0xff) << row * 8;
        high |= (rank >> 8) << row * 8;
      }
      low = transposed(low);
      high = view.n_planes > 8 ? transposed(high) : 0;
      std::byte* const to = vectors + view.first_vector * vector_bytes + group;
      for (std::size_t plane = 0; plane < view.n_planes; ++plane)
        to[plane * vector_bytes] = static_cast<std::byte>((plane < 8 ? low : high) >> plane % 8 * 8);
    }
  }
}

}  // namespace shortlist::trees
