// Lanes of a mask appended one by one, for sets without a compressing store. Lanes is the set's
// F16x, which has a store().
#pragma once

#include <cstddef>
#include <cstdint>

namespace {

template <class Lanes>
inline std::size_t append(float* scores, std::uint32_t* slots, Lanes v, std::uint32_t mask,
                          std::uint32_t first_slot) {
  float lanes[16];
  store(lanes, v);
  std::size_t n = 0;
  for (; mask != 0; mask &= mask - 1) {
    const auto lane = static_cast<std::uint32_t>(__builtin_ctz(mask));
    scores[n] = lanes[lane];
    slots[n++] = first_slot + lane;
  }
  return n;
}

// The slots may lie where they are appended, or behind.
template <class Lanes>
inline std::size_t append_pairs(float* scores, std::uint32_t* slots, Lanes v, const std::uint32_t* from,
                                std::uint32_t mask) {
  float lanes[16];
  store(lanes, v);
  std::size_t n = 0;
  for (; mask != 0; mask &= mask - 1) {
    const auto lane = static_cast<std::uint32_t>(__builtin_ctz(mask));
    scores[n] = lanes[lane];
    slots[n++] = from[lane];
  }
  return n;
}

// The lanes of the mask whose row has its bit set.
inline std::uint32_t allowed_lanes(std::uint32_t mask, const std::uint32_t* rows,
                                   const std::uint64_t* allowed) {
  std::uint32_t passing = 0;
  for (std::uint32_t left = mask; left != 0; left &= left - 1) {
    const auto lane = static_cast<std::uint32_t>(__builtin_ctz(left));
    passing |= static_cast<std::uint32_t>(allowed[rows[lane] / 64] >> (rows[lane] % 64) & 1) << lane;
  }
  return passing;
}

}  // namespace
