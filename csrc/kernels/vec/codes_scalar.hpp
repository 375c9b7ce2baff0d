// Sums of 16 coded vectors in plain C++: the portable twin of every wider set.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/vec/append_lanes.hpp"
#include "kernels/vec/rank_keys.hpp"
#include "kernels/vec/scalar.hpp"

namespace {

struct Sums {
  std::uint32_t lane[16];  // unsigned: a sum passes through values beyond 32 bits, and comes back
};
struct QueryChunk {
  std::int32_t code[4];
};
inline Sums repeat_sum(std::int32_t value) {
  Sums sums;
  for (std::uint32_t& lane : sums.lane) lane = static_cast<std::uint32_t>(value);
  return sums;
}
inline Sums add_sums(Sums a, Sums b) {
  for (int i = 0; i < 16; ++i) a.lane[i] += b.lane[i];
  return a;
}
inline QueryChunk spread(const std::int8_t* codes) { return {{codes[0], codes[1], codes[2], codes[3]}}; }
inline Sums accumulate(Sums sums, const std::uint8_t* codes, QueryChunk query) {
  for (int i = 0; i < 16; ++i) {
    std::int32_t sum = 0;
    for (int j = 0; j < 4; ++j) sum += query.code[j] * codes[4 * i + j];
    sums.lane[i] += static_cast<std::uint32_t>(sum);
  }
  return sums;
}
inline F16x to_floats(Sums sums) {
  F16x v;
  for (int i = 0; i < 16; ++i) v.lane[i] = static_cast<float>(static_cast<std::int32_t>(sums.lane[i]));
  return v;
}

inline F16x repeat(float x) {
  F16x v;
  for (float& lane : v.lane) lane = x;
  return v;
}
inline void store(float* p, F16x v) {
  for (int i = 0; i < 16; ++i) p[i] = v.lane[i];
}
inline std::uint32_t mask_at_least(F16x v, F16x floor) { return at_least(v.lane, floor.lane[0]); }
inline F16x lesser(F16x a, F16x b) {
  for (int i = 0; i < 16; ++i) a.lane[i] = b.lane[i] < a.lane[i] ? b.lane[i] : a.lane[i];
  return a;
}
inline F16x greater(F16x a, F16x b) {
  for (int i = 0; i < 16; ++i) a.lane[i] = b.lane[i] > a.lane[i] ? b.lane[i] : a.lane[i];
  return a;
}
// Lanes outside the mask become -inf.
inline F16x mask_lanes(F16x v, std::uint32_t mask) {
  for (int i = 0; i < 16; ++i) v.lane[i] = (mask >> i & 1) != 0 ? v.lane[i] : -__builtin_inff();
  return v;
}
inline void keep_greater(F16x& best, F16x& place, F16x v, F16x place_of_v) {
  for (int i = 0; i < 16; ++i) {
    if (v.lane[i] > best.lane[i]) {
      best.lane[i] = v.lane[i];
      place.lane[i] = place_of_v.lane[i];
    }
  }
}

}  // namespace
