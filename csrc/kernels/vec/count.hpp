// How many of sixteen ascending numbers are below another, by halves.
#pragma once

#include <cstdint>

namespace {

template <class S>
inline std::uint32_t count_below(const S* sixteen, S x) noexcept {
  std::uint32_t n = 0;
  for (std::uint32_t step = 8; step != 0; step /= 2) n += sixteen[n + step - 1] < x ? step : 0;
  return n + (sixteen[n] < x ? 1 : 0);
}

}  // namespace
