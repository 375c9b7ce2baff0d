// From a sum of leaves to a prediction: what the model's objective says, in the width of its library.
#pragma once

#include <cstddef>
#include <cstdint>

namespace shortlist::trees {

enum class Transform : std::uint32_t {
  identity = 0,
  sigmoid = 1,        // 1 / (1 + exp(-scale x)), each output alone
  softmax = 2,        // over the outputs of a row, the greatest taken off first
  exponential = 3,    // exp(x)
  signed_square = 4,  // sign(x) x x
  softplus = 5,       // log1p(exp(x))

  // In float32, as XGBoost computes them.
  float32_logistic = 16,        // 1 / (1 + exp(-x)), each output alone
  float32_softmax = 17,         // over the outputs of a row
  float32_exponential = 18,     // exp(x)
  float32_step = 19,            // 1 where x > 0, else 0
  float32_ascending = 20,       // the outputs of a row, sorted
  float32_softplus_steps = 21,  // each output but the first is a step up from the one before it
};

[[nodiscard]] bool is_transform(std::uint32_t code) noexcept;

// In place, n rows of n_outputs. Each row comes out the same however many there are.
void apply_transform(Transform transform, double scale, std::size_t n_outputs, std::size_t n,
                     double* out) noexcept;

}  // namespace shortlist::trees
