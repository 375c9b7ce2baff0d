// Positions of the scores that reach a floor. Included once per instruction set, after its vec/ header.
#pragma once

namespace {

std::size_t select_at_least(const float* scores, std::size_t n, float floor, std::uint32_t* out) noexcept {
  std::size_t found = 0;
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    for (std::uint32_t mask = at_least(scores + i, floor); mask != 0; mask &= mask - 1) {
      out[found++] = static_cast<std::uint32_t>(i) + static_cast<std::uint32_t>(__builtin_ctz(mask));
    }
  }
  for (; i < n; ++i) {
    if (scores[i] >= floor) out[found++] = static_cast<std::uint32_t>(i);
  }
  return found;
}

}  // namespace
