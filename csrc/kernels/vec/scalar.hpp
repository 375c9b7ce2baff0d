// Sixteen float lanes in plain C++: the portable twin of every wider set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace {

struct F16x {
  float lane[16];
};
inline F16x zero() { return F16x{}; }
inline F16x load(const float* p) {
  F16x v;
  for (int i = 0; i < 16; ++i) v.lane[i] = p[i];
  return v;
}
// The first n lanes, n < 16; the rest are zero.
inline F16x load_first(const float* p, std::size_t n) {
  F16x v{};
  for (std::size_t i = 0; i < n; ++i) v.lane[i] = p[i];
  return v;
}
inline F16x add(F16x a, F16x b) {
  for (int i = 0; i < 16; ++i) a.lane[i] += b.lane[i];
  return a;
}
inline F16x sub(F16x a, F16x b) {
  for (int i = 0; i < 16; ++i) a.lane[i] -= b.lane[i];
  return a;
}
inline F16x mul(F16x a, F16x b) {
  for (int i = 0; i < 16; ++i) a.lane[i] *= b.lane[i];
  return a;
}
// Lanes folded by halves: 16 -> 8 -> 4 -> 2 -> 1.
inline float fold(F16x v) {
  for (int half = 8; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) v.lane[i] += v.lane[i + half];
  }
  return v.lane[0];
}
// Bit i is set where p[i] >= floor.
inline std::uint32_t at_least(const float* p, float floor) {
  std::uint32_t mask = 0;
  for (int i = 0; i < 16; ++i) mask |= static_cast<std::uint32_t>(p[i] >= floor) << i;
  return mask;
}

}  // namespace
