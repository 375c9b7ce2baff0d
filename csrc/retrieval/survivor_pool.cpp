#include "retrieval/survivor_pool.hpp"

#include <algorithm>

#include "retrieval/best_k.hpp"

namespace shortlist::retrieval {

SurvivorPool::SurvivorPool(std::size_t size, std::size_t limit, const CodeKernels& kernels, Arena& arena)
    : wanted_(size),
      kernels_(kernels),
      survivors_{arena.array<float>(limit + 4 * kGroupVectors).data(),
                 arena.array<std::uint32_t>(limit + 4 * kGroupVectors).data(), 0, limit,
                 -std::numeric_limits<float>::infinity()},
      keys_(arena.array<std::uint64_t>(limit + 4 * kGroupVectors)) {}

void SurvivorPool::refresh(float slack) noexcept {
  if (survivors_.size < wanted_) return;
  const float threshold = threshold_of(kernels_, survivors_.scores, survivors_.size, wanted_, wanted_ / 16);
  survivors_.floor = std::max(survivors_.floor, threshold);
  survivors_.size =
      kernels_.keep_at_least(survivors_.scores, survivors_.slots, survivors_.size, survivors_.floor - slack);
}

void SurvivorPool::cut() noexcept {
  if (survivors_.size <= wanted_) return;
  for (std::size_t i = 0; i < survivors_.size; ++i)
    keys_[i] = key_of(survivors_.scores[i], survivors_.slots[i]);
  std::nth_element(keys_.begin(), keys_.begin() + static_cast<std::ptrdiff_t>(wanted_ - 1),
                   keys_.begin() + static_cast<std::ptrdiff_t>(survivors_.size));
  survivors_.size = wanted_;
  for (std::size_t i = 0; i < wanted_; ++i) {
    const Hit hit = hit_of(keys_[i]);
    survivors_.scores[i] = hit.score;
    survivors_.slots[i] = hit.row;
  }
}

float threshold_of(const CodeKernels& kernels, const float* scores, std::size_t n, std::size_t wanted,
                   std::size_t spare) noexcept {
  constexpr int kMostSteps = 40;
  float least = 0.0f;
  float greatest = 0.0f;
  kernels.range(scores, n, &least, &greatest);
  // At least `wanted` reach `least`, which rises; fewer reach `greatest`, or it is the best.
  for (int step = 0; step < kMostSteps; ++step) {
    const float middle = 0.5f * least + 0.5f * greatest;
    if (!(middle > least && middle < greatest)) break;
    const std::size_t count = kernels.count_at_least(scores, n, middle);
    if (count < wanted) {
      greatest = middle;
    } else {
      least = middle;
      if (count <= wanted + spare) break;
    }
  }
  return least;
}

std::uint64_t* sort_keys(const CodeKernels& kernels, std::uint64_t* keys, std::size_t n,
                         std::uint64_t* scratch) noexcept {
  if (n <= kernels.max_ranked) {
    kernels.rank_keys(keys, n, scratch);
    return scratch;
  }
  std::sort(keys, keys + n);
  return keys;
}

}  // namespace shortlist::retrieval
