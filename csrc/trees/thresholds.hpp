// What every way of ranking numbers agrees on: thresholds for floats, and which numbers count as zero.
#pragma once

#include <cmath>
#include <limits>

namespace shortlist::trees {

// LightGBM's kZeroThreshold: the float nearest to 1e-35.
inline constexpr double kZeroThreshold = 1e-35f;

// The greatest float that is not above x: y <= x exactly where y <= rounded_down(x), for every float y.
[[nodiscard]] inline float rounded_down(double x) noexcept {
  const auto nearest = static_cast<float>(x);
  const bool above = static_cast<double>(nearest) > x;
  return above ? std::nextafterf(nearest, -std::numeric_limits<float>::infinity()) : nearest;
}

}  // namespace shortlist::trees
