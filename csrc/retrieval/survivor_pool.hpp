// The best scores of a scan so far: a buffer that the kernels fill, and a floor that rises.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "base/arena.hpp"
#include "kernels/codes.hpp"

namespace shortlist::retrieval {

class SurvivorPool {
 public:
  // Wants `size` elements, at least 1, and pauses a scan at `limit`.
  SurvivorPool(std::size_t size, std::size_t limit, const CodeKernels& kernels, Arena& arena);

  [[nodiscard]] Survivors& survivors() noexcept { return survivors_; }
  [[nodiscard]] std::size_t size() const noexcept { return survivors_.size; }
  [[nodiscard]] float floor() const noexcept { return survivors_.floor; }
  [[nodiscard]] bool full() const noexcept { return survivors_.size >= survivors_.limit; }
  [[nodiscard]] float* scores() noexcept { return survivors_.scores; }
  [[nodiscard]] std::uint32_t* slots() noexcept { return survivors_.slots; }
  void clear() noexcept { survivors_.size = 0; }

  // Raises the floor to a score that at least `size` elements, and few more, reach, and drops those that are
  // more than `slack` below it. Equal scores may leave more than few.
  void refresh(float slack) noexcept;
  // Leaves the best `size` elements at most, by score and then by slot.
  void cut() noexcept;

 private:
  std::size_t wanted_;
  const CodeKernels& kernels_;
  Survivors survivors_;
  std::span<std::uint64_t> keys_;
};

// The threshold that `wanted` of n scores reach, or a few more: at most wanted + spare unless scores are
// equal. 1 <= wanted <= n.
[[nodiscard]] float threshold_of(const CodeKernels& kernels, const float* scores, std::size_t n,
                                 std::size_t wanted, std::size_t spare) noexcept;

// Sorts distinct keys; `scratch` has as many. Returns where they are: in one or the other. Up to 8 keys
// beyond n are overwritten.
[[nodiscard]] std::uint64_t* sort_keys(const CodeKernels& kernels, std::uint64_t* keys, std::size_t n,
                                       std::uint64_t* scratch) noexcept;

}  // namespace shortlist::retrieval
