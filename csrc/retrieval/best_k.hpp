// The best k of scored rows: ordered by descending score, equal ones by the lower row.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <span>

#include "base/arena.hpp"

namespace shortlist::retrieval {

struct Hit {
  std::uint32_t row;
  float score;
};

// Ascending order of keys is descending score, then ascending row. `score` is not -0.
[[nodiscard]] inline std::uint64_t key_of(float score, std::uint32_t row) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(score);
  const std::uint32_t rising = (bits >> 31) != 0 ? ~bits : bits | 0x80000000u;
  return static_cast<std::uint64_t>(~rising) << 32 | row;
}
[[nodiscard]] inline Hit hit_of(std::uint64_t key) noexcept {
  const auto rising = ~static_cast<std::uint32_t>(key >> 32);
  const std::uint32_t bits = (rising >> 31) != 0 ? rising & 0x7FFFFFFFu : ~rising;
  return {static_cast<std::uint32_t>(key), std::bit_cast<float>(bits)};
}

// Keeps the best k of all keys offered; the floor rises as better ones come.
class BestK {
 public:
  // `batch` is the most keys that are offered between two calls of shrink().
  BestK(std::size_t k, std::size_t batch, Arena& arena)
      : k_(k), keys_(arena.array<std::uint64_t>(2 * k + batch)) {}

  [[nodiscard]] float floor() const noexcept { return floor_; }
  void offer(float score, std::uint32_t row) noexcept { keys_[size_++] = key_of(score, row); }
  void shrink() noexcept {
    if (size_ >= 2 * k_) select();
  }
  [[nodiscard]] std::span<std::uint64_t> sorted() noexcept {
    if (size_ > k_) select();
    std::sort(keys_.begin(), keys_.begin() + static_cast<std::ptrdiff_t>(size_));
    return keys_.first(size_);
  }

 private:
  void select() noexcept {
    std::nth_element(keys_.begin(), keys_.begin() + static_cast<std::ptrdiff_t>(k_ - 1),
                     keys_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ = k_;
    floor_ = hit_of(keys_[k_ - 1]).score;
  }

  std::size_t k_;
  std::span<std::uint64_t> keys_;
  std::size_t size_ = 0;
  float floor_ = -std::numeric_limits<float>::infinity();
};

}  // namespace shortlist::retrieval
