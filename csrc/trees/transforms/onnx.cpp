#include "trees/transforms/onnx.hpp"

#include <cmath>
#include <limits>

namespace shortlist::trees {
namespace {

constexpr float kNoZero = 0.0000001F;  // what is nearer to 0 counts as 0
constexpr float kPi = 3.14159265F;
constexpr float kWinitzki = 0.147F;
constexpr float kSqrt2 = 1.41421356F;

float logistic(float x) noexcept {
  const float of_magnitude = 1.0F / (1.0F + std::exp(-std::abs(x)));
  return x < 0.0F ? 1.0F - of_magnitude : of_magnitude;
}

// Winitzki's approximation of the inverse error function.
float inverse_erf(float x) noexcept {
  const float sign = x < 0.0F ? -1.0F : 1.0F;
  const float log = std::log((1.0F - x) * (1.0F + x));
  const float half = 2.0F / (kPi * kWinitzki) + 0.5F * log;
  const float scaled = 1.0F / kWinitzki * log;
  return sign * std::sqrt(std::sqrt(half * half - scaled) - half);
}

float greatest_of(const double* row, std::size_t n) noexcept {
  float greatest = -std::numeric_limits<float>::max();
  for (std::size_t i = 0; i < n; ++i)
    if (static_cast<float>(row[i]) > greatest) greatest = static_cast<float>(row[i]);
  return greatest;
}

void divide(double* row, std::size_t n, float sum) noexcept {
  for (std::size_t i = 0; i < n; ++i) row[i] = static_cast<float>(row[i]) / sum;
}

}  // namespace

void float32_signed_logistic(std::size_t size, double* out) noexcept {
  for (std::size_t i = 0; i < size; ++i) out[i] = logistic(static_cast<float>(out[i]));
}

void float32_plain_softmax(std::size_t n_outputs, std::size_t n, double* out) noexcept {
  for (double* row = out; row != out + n * n_outputs; row += n_outputs) {
    const float greatest = greatest_of(row, n_outputs);
    float sum = 0.0F;
    for (std::size_t i = 0; i < n_outputs; ++i) {
      const float part = std::exp(static_cast<float>(row[i]) - greatest);
      row[i] = part;
      sum += part;
    }
    divide(row, n_outputs, sum);
  }
}

void float32_nonzero_softmax(std::size_t n_outputs, std::size_t n, double* out) noexcept {
  for (double* row = out; row != out + n * n_outputs; row += n_outputs) {
    const float greatest = greatest_of(row, n_outputs);
    const float of_zero = std::exp(-greatest);
    float sum = 0.0F;
    for (std::size_t i = 0; i < n_outputs; ++i) {
      const auto x = static_cast<float>(row[i]);
      if (x > kNoZero || x < -kNoZero) {
        const float part = std::exp(x - greatest);
        row[i] = part;
        sum += part;
      } else {
        row[i] = x * of_zero;
      }
    }
    divide(row, n_outputs, sum);
  }
}

void float32_probit(std::size_t size, double* out) noexcept {
  for (std::size_t i = 0; i < size; ++i)
    out[i] = kSqrt2 * inverse_erf(2.0F * static_cast<float>(out[i]) - 1.0F);
}

void float32_rounded(std::size_t size, double* out) noexcept {
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<float>(out[i]);
}

void float32_complement(std::size_t n_outputs, std::size_t n, double* out) noexcept {
  for (double* row = out; row != out + n * n_outputs; row += n_outputs) {
    const double last = row[n_outputs - 1];
    row[n_outputs - 1] = static_cast<float>(last);
    row[0] = static_cast<float>(1.0 - last);
  }
}

}  // namespace shortlist::trees
