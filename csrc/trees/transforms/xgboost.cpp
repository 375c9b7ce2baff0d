#include "trees/transforms/xgboost.hpp"

#include <algorithm>
#include <cmath>

namespace shortlist::trees {
namespace {

constexpr float kLeastStep = 1e-6F;

float softplus(float x) noexcept {
  if (x > 0.0F) return x + std::log1p(std::exp(-x));
  return std::log1p(std::exp(x));
}

float softplus_inverse(float x) noexcept {
  x = std::max(x, kLeastStep);
  return x + std::log(-std::expm1(-x));
}

}  // namespace

void float32_logistic(std::size_t size, double* out) noexcept {
  for (std::size_t i = 0; i < size; ++i) {
    const float x = std::min(-static_cast<float>(out[i]), 88.7F);
    out[i] = 1.0F / (std::exp(x) + 1.0F + 1e-16F);
  }
}

void float32_softmax(std::size_t n_outputs, std::size_t n, double* out) noexcept {
  for (double* row = out; row != out + n * n_outputs; row += n_outputs) {
    const auto greatest = static_cast<float>(*std::max_element(row, row + n_outputs));
    double sum = 0.0;
    for (std::size_t i = 0; i < n_outputs; ++i) {
      row[i] = std::exp(static_cast<float>(row[i]) - greatest);
      sum += row[i];
    }
    for (std::size_t i = 0; i < n_outputs; ++i) row[i] = static_cast<float>(row[i]) / static_cast<float>(sum);
  }
}

void float32_exponential(std::size_t size, double* out) noexcept {
  for (std::size_t i = 0; i < size; ++i) out[i] = std::exp(static_cast<float>(out[i]));
}

void float32_step(std::size_t size, double* out) noexcept {
  for (std::size_t i = 0; i < size; ++i) out[i] = out[i] > 0.0 ? 1.0 : 0.0;
}

// An insertion sort: a total order is not asked of the numbers, so that NaN does no harm.
void float32_ascending(std::size_t n_outputs, std::size_t n, double* out) noexcept {
  for (double* row = out; row != out + n * n_outputs; row += n_outputs) {
    for (std::size_t i = 1; i < n_outputs; ++i) {
      const double value = row[i];
      std::size_t at = i;
      for (; at > 0 && row[at - 1] > value; --at) row[at] = row[at - 1];
      row[at] = value;
    }
  }
}

void float32_softplus_steps(std::size_t n_outputs, std::size_t n, double* out) noexcept {
  for (double* row = out; row != out + n * n_outputs; row += n_outputs) {
    auto value = static_cast<float>(row[0]);
    for (std::size_t i = 1; i < n_outputs; ++i) {
      value += kLeastStep + softplus(static_cast<float>(row[i]));
      row[i] = value;
    }
  }
}

void margins_of(BaseLink link, std::span<float> scores) noexcept {
  switch (link) {
    case BaseLink::logit:
      for (float& score : scores) score = -std::log(1.0F / score - 1.0F);
      return;
    case BaseLink::log:
      for (float& score : scores) score = std::log(score);
      return;
    case BaseLink::softplus_steps:
      for (std::size_t i = scores.size(); i-- > 1;)
        scores[i] = softplus_inverse(scores[i] - scores[i - 1] - kLeastStep);
      return;
  }
}

}  // namespace shortlist::trees
