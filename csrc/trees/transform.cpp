#include "trees/transform.hpp"

#include <algorithm>
#include <cmath>

#include "trees/transforms/catboost.hpp"
#include "trees/transforms/onnx.hpp"
#include "trees/transforms/sklearn.hpp"
#include "trees/transforms/xgboost.hpp"

namespace shortlist::trees {
namespace {

void softmax(double* row, std::size_t n) noexcept {
  double greatest = row[0];
  for (std::size_t i = 1; i < n; ++i) greatest = std::max(row[i], greatest);
  double sum = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    row[i] = std::exp(row[i] - greatest);
    sum += row[i];
  }
  for (std::size_t i = 0; i < n; ++i) row[i] /= sum;
}

}  // namespace

bool is_transform(std::uint32_t code, std::uint32_t n_outputs) noexcept {
  switch (static_cast<Transform>(code)) {
    case Transform::identity:
    case Transform::sigmoid:
    case Transform::softmax:
    case Transform::exponential:
    case Transform::signed_square:
    case Transform::softplus:
    case Transform::float32_logistic:
    case Transform::float32_softmax:
    case Transform::float32_exponential:
    case Transform::float32_step:
    case Transform::float32_ascending:
    case Transform::float32_softplus_steps:
    case Transform::float32_signed_logistic:
    case Transform::float32_plain_softmax:
    case Transform::float32_nonzero_softmax:
    case Transform::float32_probit:
    case Transform::float32_rounded:
    case Transform::float32_complement:
    case Transform::catboost_softmax:
    case Transform::catboost_exponential:
    case Transform::softmax_by_blocks:
      return true;
    case Transform::catboost_mean_and_variance:
      return n_outputs == 2;
  }
  return false;
}

void apply_transform(Transform transform, double scale, std::size_t n_outputs, std::size_t n,
                     double* out) noexcept {
  const std::size_t size = n * n_outputs;
  switch (transform) {
    case Transform::identity:
      return;
    case Transform::sigmoid:
      for (std::size_t i = 0; i < size; ++i) out[i] = 1.0 / (1.0 + std::exp(-scale * out[i]));
      return;
    case Transform::softmax:
      for (std::size_t row = 0; row < n; ++row) softmax(out + row * n_outputs, n_outputs);
      return;
    case Transform::exponential:
      for (std::size_t i = 0; i < size; ++i) out[i] = std::exp(out[i]);
      return;
    case Transform::signed_square:
      for (std::size_t i = 0; i < size; ++i) out[i] = std::copysign(1.0, out[i]) * out[i] * out[i];
      return;
    case Transform::softplus:
      for (std::size_t i = 0; i < size; ++i) out[i] = std::log1p(std::exp(out[i]));
      return;
    case Transform::float32_logistic:
      return float32_logistic(size, out);
    case Transform::float32_softmax:
      return float32_softmax(n_outputs, n, out);
    case Transform::float32_exponential:
      return float32_exponential(size, out);
    case Transform::float32_step:
      return float32_step(size, out);
    case Transform::float32_ascending:
      return float32_ascending(n_outputs, n, out);
    case Transform::float32_softplus_steps:
      return float32_softplus_steps(n_outputs, n, out);
    case Transform::float32_signed_logistic:
      return float32_signed_logistic(size, out);
    case Transform::float32_plain_softmax:
      return float32_plain_softmax(n_outputs, n, out);
    case Transform::float32_nonzero_softmax:
      return float32_nonzero_softmax(n_outputs, n, out);
    case Transform::float32_probit:
      return float32_probit(size, out);
    case Transform::float32_rounded:
      return float32_rounded(size, out);
    case Transform::float32_complement:
      return float32_complement(n_outputs, n, out);
    case Transform::catboost_softmax:
      for (std::size_t row = 0; row < n; ++row) catboost_softmax(out + row * n_outputs, n_outputs);
      return;
    case Transform::catboost_exponential:
      for (std::size_t i = 0; i < size; ++i) out[i] = catboost_exp(out[i]);
      return;
    case Transform::catboost_mean_and_variance:
      for (std::size_t i = 1; i < size; i += 2) out[i] = catboost_exp(2.0 * out[i]);
      return;
    case Transform::softmax_by_blocks:
      for (std::size_t row = 0; row < n; ++row) softmax_by_blocks(out + row * n_outputs, n_outputs);
      return;
  }
}

}  // namespace shortlist::trees
