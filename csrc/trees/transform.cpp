#include "trees/transform.hpp"

#include <algorithm>
#include <cmath>

#include "trees/transforms/catboost.hpp"

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

bool is_transform(std::uint32_t code) noexcept {
  return code <= static_cast<std::uint32_t>(Transform::softplus) ||
         (code >= static_cast<std::uint32_t>(Transform::catboost_softmax) &&
          code <= static_cast<std::uint32_t>(Transform::catboost_mean_and_variance));
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
    case Transform::catboost_softmax:
      for (std::size_t row = 0; row < n; ++row) catboost_softmax(out + row * n_outputs, n_outputs);
      return;
    case Transform::catboost_exponential:
      for (std::size_t i = 0; i < size; ++i) out[i] = catboost_exp(out[i]);
      return;
    case Transform::catboost_mean_and_variance:
      if (n_outputs < 2) return;
      for (std::size_t i = 1; i < size; i += n_outputs) out[i] = catboost_exp(2.0 * out[i]);
      return;
  }
}

}  // namespace shortlist::trees
