// The best k of scored candidates: descending score, ties by the lower row of the item table.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "base/arena.hpp"

namespace shortlist::pipeline {

// Positions of the best min(k, n), best first. Scores are not NaN. Throws only std::bad_alloc.
[[nodiscard]] inline std::span<const std::uint32_t> top_k(std::span<const double> scores,
                                                          std::span<const std::uint32_t> rows, std::size_t k,
                                                          Arena& arena) {
  const std::span<std::uint32_t> order = arena.array<std::uint32_t>(scores.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint32_t>(i);
  const auto better = [&](std::uint32_t a, std::uint32_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : rows[a] < rows[b];
  };
  k = std::min(k, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k), order.end(), better);
  return order.first(k);
}

}  // namespace shortlist::pipeline
