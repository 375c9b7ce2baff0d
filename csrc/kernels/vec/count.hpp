// How many of sixteen numbers are below another, in the compiler's own vectors.
#pragma once

#include <cstdint>

namespace {

template <class S>
inline std::uint32_t count_below(const S* sixteen, S x) noexcept {
  std::uint32_t n = 0;
  for (int i = 0; i < 16; ++i) n += sixteen[i] < x ? 1 : 0;
  return n;
}

}  // namespace
