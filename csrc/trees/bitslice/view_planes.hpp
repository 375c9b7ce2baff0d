// Ranks by view, as the quantiser makes them for any kind of rows, into bit planes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/bitslice.hpp"
#include "trees/bitslice/arrays.hpp"
#include "trees/forest_arrays.hpp"

namespace shortlist::trees {

// Of one segment: how many planes each view has, and where they are in a buffer of vectors.
class ViewPlanes {
 public:
  // A view needs as many planes as tell apart the greatest rank that a predicate asks for, and what is above.
  ViewPlanes(const ForestArrays& forest, const BitsliceArrays& sliced, std::size_t segment);

  [[nodiscard]] std::size_t n_vectors() const noexcept { return n_vectors_; }
  [[nodiscard]] RankPlanes of_view(std::size_t view, const std::byte* vectors,
                                   std::size_t vector_bytes) const noexcept;

  // ranks: as Quantiser::ranks writes them, n rows, at most 8 * vector_bytes. Rows behind n get rank 0.
  void transpose(const std::uint16_t* ranks, std::size_t n, std::size_t vector_bytes,
                 std::byte* vectors) const noexcept;

 private:
  struct View {
    std::uint32_t first_vector;
    std::uint16_t n_planes;
    std::uint16_t most;  // ranks above are taken for this one
  };
  std::vector<View> views_;
  std::size_t n_vectors_ = 0;
};

}  // namespace shortlist::trees
