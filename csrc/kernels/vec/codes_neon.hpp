// Sums of 16 coded vectors in four NEON registers.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/vec/append_lanes.hpp"
#include "kernels/vec/neon.hpp"
#include "kernels/vec/rank_keys.hpp"

namespace {

struct Sums {
  int32x4_t part[4];
};
struct QueryChunk {
  int8x8_t codes;          // twice the four codes
  std::int32_t restoring;  // 128 * their sum: what signed codes lack
};
inline Sums repeat_sum(std::int32_t value) {
  const int32x4_t sum = vdupq_n_s32(value);
  return {{sum, sum, sum, sum}};
}
inline Sums add_sums(Sums a, Sums b) {
  for (int i = 0; i < 4; ++i) a.part[i] = vaddq_s32(a.part[i], b.part[i]);
  return a;
}
inline QueryChunk spread(const std::int8_t* codes) {
  std::int32_t four;
  std::memcpy(&four, codes, sizeof(four));
  return {vreinterpret_s8_s32(vdup_n_s32(four)), 128 * (codes[0] + codes[1] + codes[2] + codes[3])};
}
// Codes less 128 are signed, and two products of them fit 16 bits: 2 * 128 * 127 < 2^15.
inline Sums accumulate(Sums sums, const std::uint8_t* codes, QueryChunk query) {
  const int32x4_t restoring = vdupq_n_s32(query.restoring);
  for (int i = 0; i < 4; ++i) {
    const int8x16_t code = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(codes + 16 * i), vdupq_n_u8(0x80)));
    const int16x8_t low = vmull_s8(vget_low_s8(code), query.codes);
    const int16x8_t high = vmull_s8(vget_high_s8(code), query.codes);
    sums.part[i] = vpadalq_s16(vaddq_s32(sums.part[i], restoring), vpaddq_s16(low, high));
  }
  return sums;
}
inline F16x to_floats(Sums sums) {
  F16x v;
  for (int i = 0; i < 4; ++i) v.part[i] = vcvtq_f32_s32(sums.part[i]);
  return v;
}

inline F16x repeat(float x) {
  const float32x4_t all = vdupq_n_f32(x);
  return {{all, all, all, all}};
}
inline void store(float* p, F16x v) {
  for (int i = 0; i < 4; ++i) vst1q_f32(p + 4 * i, v.part[i]);
}
inline std::uint32_t mask_at_least(F16x v, F16x floor) {
  const uint32x4_t weights = {1, 2, 4, 8};
  std::uint32_t mask = 0;
  for (int i = 0; i < 4; ++i)
    mask |= vaddvq_u32(vandq_u32(vcgeq_f32(v.part[i], floor.part[i]), weights)) << (4 * i);
  return mask;
}
inline F16x lesser(F16x a, F16x b) {
  for (int i = 0; i < 4; ++i) a.part[i] = vminq_f32(a.part[i], b.part[i]);
  return a;
}
inline F16x greater(F16x a, F16x b) {
  for (int i = 0; i < 4; ++i) a.part[i] = vmaxq_f32(a.part[i], b.part[i]);
  return a;
}
// Lanes outside the mask become -inf.
inline F16x mask_lanes(F16x v, std::uint32_t mask) {
  const uint32x4_t weights = {1, 2, 4, 8};
  for (int i = 0; i < 4; ++i) {
    const uint32x4_t inside = vtstq_u32(vdupq_n_u32(mask >> (4 * i)), weights);
    v.part[i] = vbslq_f32(inside, v.part[i], vdupq_n_f32(-__builtin_inff()));
  }
  return v;
}
inline void keep_greater(F16x& best, F16x& place, F16x v, F16x place_of_v) {
  for (int i = 0; i < 4; ++i) {
    const uint32x4_t greater = vcgtq_f32(v.part[i], best.part[i]);
    best.part[i] = vbslq_f32(greater, v.part[i], best.part[i]);
    place.part[i] = vbslq_f32(greater, place_of_v.part[i], place.part[i]);
  }
}

}  // namespace
