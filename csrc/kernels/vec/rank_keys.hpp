// Few distinct keys in order by counting the smaller ones, for sets without a compare of unsigned 64-bit
// lanes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace {

inline constexpr std::size_t kMaxRanked = 16;

void rank_keys(std::uint64_t* keys, std::size_t n, std::uint64_t* out) noexcept {
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t rank = 0;
    for (std::size_t j = 0; j < n; ++j) rank += keys[j] < keys[i] ? 1u : 0u;
    out[rank] = keys[i];
  }
}

}  // namespace
