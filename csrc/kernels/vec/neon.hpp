// Sixteen float lanes in four NEON registers.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

namespace {

struct F16x {
  float32x4_t part[4];
};
inline F16x zero() {
  const float32x4_t none = vdupq_n_f32(0.0f);
  return {{none, none, none, none}};
}
inline F16x load(const float* p) {
  return {{vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)}};
}
// The first n lanes, n < 16; the rest are zero.
inline F16x load_first(const float* p, std::size_t n) {
  float lanes[16] = {};
  for (std::size_t i = 0; i < n; ++i) lanes[i] = p[i];
  return load(lanes);
}
inline F16x add(F16x a, F16x b) {
  for (int i = 0; i < 4; ++i) a.part[i] = vaddq_f32(a.part[i], b.part[i]);
  return a;
}
inline F16x sub(F16x a, F16x b) {
  for (int i = 0; i < 4; ++i) a.part[i] = vsubq_f32(a.part[i], b.part[i]);
  return a;
}
inline F16x mul(F16x a, F16x b) {
  for (int i = 0; i < 4; ++i) a.part[i] = vmulq_f32(a.part[i], b.part[i]);
  return a;
}
// Lanes folded by halves: 16 -> 8 -> 4 -> 2 -> 1.
inline float fold(F16x v) {
  const float32x4_t low = vaddq_f32(v.part[0], v.part[2]);
  const float32x4_t high = vaddq_f32(v.part[1], v.part[3]);
  const float32x4_t four = vaddq_f32(low, high);
  const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
  return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}
// Bit i is set where p[i] >= floor.
inline std::uint32_t at_least(const float* p, float floor) {
  const float32x4_t bound = vdupq_n_f32(floor);
  const uint32x4_t weights = {1, 2, 4, 8};
  std::uint32_t mask = 0;
  for (int i = 0; i < 4; ++i) {
    mask |= vaddvq_u32(vandq_u32(vcgeq_f32(vld1q_f32(p + 4 * i), bound), weights)) << (4 * i);
  }
  return mask;
}

}  // namespace
