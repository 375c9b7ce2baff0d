#include "retrieval/coded_lists.hpp"

#include <algorithm>

#include "retrieval/encode.hpp"

namespace shortlist::retrieval {

float greatest_norm_of(const CodedLists& lists) noexcept {
  const float origin = norm_bound(lists.origin.data(), lists.dim);
  float greatest = 0.0f;
  for (std::size_t l = 0; l < lists.n_lists; ++l) {
    const float centroid = norm_bound(lists.centroids.data() + l * lists.dim, lists.dim);
    greatest = std::max(greatest, origin + centroid + lists.list_radii[l]);
  }
  return greatest;
}

}  // namespace shortlist::retrieval
