// Lists by descending bound, found a few at a time: a search needs few of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "base/arena.hpp"
#include "kernels/kernels.hpp"
#include "retrieval/best_k.hpp"
#include "retrieval/survivor_pool.hpp"

namespace shortlist::retrieval {

class ListOrder {
 public:
  static constexpr std::size_t kFirstLists = 32;

  // A bound for each list, none NaN.
  ListOrder(std::span<const float> bounds, const KernelTable& kernels, const CodeKernels& codes, Arena& arena)
      : bounds_(bounds),
        kernels_(kernels),
        codes_(codes),
        positions_(arena.array<std::uint32_t>(bounds.size())),
        keys_(arena.array<std::uint64_t>(bounds.size() + 8)),
        scratch_(arena.array<std::uint64_t>(bounds.size() + 8)) {}

  // The next lists, best first, ties by the lower list; those below the floor need not be among them. Empty
  // where none is left.
  [[nodiscard]] std::span<const std::uint64_t> next(float floor) noexcept {
    if (done_ == bounds_.size() || floor >= end_) return {};
    const std::size_t wanted = std::min(bounds_.size(), done_ + kFirstLists + done_ / 2);
    float threshold = -std::numeric_limits<float>::infinity();
    if (wanted < bounds_.size())
      threshold = threshold_of(codes_, bounds_.data(), bounds_.size(), wanted, wanted / 4);
    threshold = std::max(threshold, floor);
    const std::size_t found =
        kernels_.select_at_least(bounds_.data(), bounds_.size(), threshold, positions_.data());
    std::size_t n = 0;
    for (std::size_t i = 0; i < found; ++i) {
      const float bound = bounds_[positions_[i]];
      keys_[n] = key_of(bound, positions_[i]);
      n += bound < end_ ? 1u : 0u;
    }
    done_ += n;
    end_ = threshold;
    return {sort_keys(codes_, keys_.data(), n, scratch_.data()), n};
  }

 private:
  std::span<const float> bounds_;
  const KernelTable& kernels_;
  const CodeKernels& codes_;
  std::span<std::uint32_t> positions_;
  std::span<std::uint64_t> keys_, scratch_;
  std::size_t done_ = 0;
  float end_ = std::numeric_limits<float>::infinity();  // lists from here on were given
};

}  // namespace shortlist::retrieval
