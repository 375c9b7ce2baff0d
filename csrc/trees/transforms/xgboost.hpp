// XGBoost's links in its own float32 steps: from margins to predictions, and from base scores to margins.
//
// Source: XGBoost src/common/math.h and src/objective/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace shortlist::trees {

// In place, float32 numbers held in doubles; n rows of n_outputs.
void float32_logistic(std::size_t size, double* out) noexcept;
void float32_softmax(std::size_t n_outputs, std::size_t n, double* out) noexcept;
void float32_exponential(std::size_t size, double* out) noexcept;
void float32_step(std::size_t size, double* out) noexcept;
void float32_ascending(std::size_t n_outputs, std::size_t n, double* out) noexcept;
void float32_softplus_steps(std::size_t n_outputs, std::size_t n, double* out) noexcept;

enum class BaseLink : std::uint32_t {
  logit = 0,           // -log(1 / p - 1)
  log = 1,             // log(p)
  softplus_steps = 2,  // each output but the first by the step from the one before it
};
inline constexpr std::uint32_t kBaseLinks = 3;

// In place: base scores as files hold them into the margins where sums begin.
void margins_of(BaseLink link, std::span<float> scores) noexcept;

}  // namespace shortlist::trees
