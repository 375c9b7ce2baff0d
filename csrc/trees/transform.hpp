// From a sum of leaves to a prediction: what the model's objective says, in float64.
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
  // CatBoost's, by its approximation of exp (transforms/catboost.hpp)
  catboost_softmax = 48,
  catboost_exponential = 49,
  catboost_mean_and_variance = 50,  // of the second output, the logarithm of a deviation: exp(2 x)
};
[[nodiscard]] bool is_transform(std::uint32_t code) noexcept;

// In place, n rows of n_outputs. Each row comes out the same however many there are.
void apply_transform(Transform transform, double scale, std::size_t n_outputs, std::size_t n,
                     double* out) noexcept;

}  // namespace shortlist::trees
