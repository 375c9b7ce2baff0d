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

  // In float32, as ONNX Runtime computes them.
  float32_signed_logistic = 32,  // 1 / (1 + exp(-|x|)), or 1 less that where x < 0
  float32_plain_softmax = 33,    // over the outputs of a row, their sum in float32 too
  float32_nonzero_softmax = 34,  // softmax of what is not 0; what is 0 becomes x exp(-greatest)
  float32_probit = 35,           // inverse of the normal distribution, approximated
  float32_rounded = 36,          // x, rounded to float32
  float32_complement = 37,       // the first output of a row is 1 less the last

  // CatBoost's, by its approximation of exp (transforms/catboost.hpp)
  catboost_softmax = 48,
  catboost_exponential = 49,
  catboost_mean_and_variance = 50,  // of two outputs the second, a logarithm of a deviation: exp(2 x)

  softmax_by_blocks = 64,  // as scikit-learn's GradientBoosting: the sum is NumPy's, in blocks
};
// Whether the number is that of a transform that can be applied to so many outputs.
[[nodiscard]] bool is_transform(std::uint32_t code, std::uint32_t n_outputs) noexcept;

// In place, n rows of n_outputs. Each row comes out the same however many there are.
void apply_transform(Transform transform, double scale, std::size_t n_outputs, std::size_t n,
                     double* out) noexcept;

}  // namespace shortlist::trees
