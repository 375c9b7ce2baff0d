#include "retrieval/encode.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/codes.hpp"

namespace shortlist::retrieval {
namespace {

constexpr float kLeastScale = 1e-35f;
constexpr float kMost = std::numeric_limits<float>::max();
constexpr float kRounding = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer, ties to even
constexpr double kUp = 1.0 + 1e-6;        // more than what doubles and the rounding to float lose

}  // namespace

float bounded(double value) noexcept {
  if (!(value < static_cast<double>(kMost))) return kMost;
  return value <= -static_cast<double>(kMost) ? -kMost : static_cast<float>(value);
}

float quantise(const float* values, std::size_t dim, std::size_t n_codes, std::int8_t* codes) noexcept {
  float greatest = 0.0f;
  bool finite = true;
  for (std::size_t j = 0; j < dim; ++j) {
    greatest = std::max(greatest, std::abs(values[j]));
    finite = finite && std::abs(values[j]) <= kMost;
  }
  const float scale = greatest / 127.0f;
  if (!finite || !(scale >= kLeastScale)) {
    std::fill_n(codes, n_codes, std::int8_t{0});
    return 0.0f;
  }
  const float factor = 127.0f / greatest;
  for (std::size_t j = 0; j < dim; ++j) {
    const float rounded = (values[j] * factor + kRounding) - kRounding;
    codes[j] = static_cast<std::int8_t>(static_cast<std::int32_t>(rounded));
  }
  std::fill(codes + dim, codes + n_codes, std::int8_t{0});
  return scale;
}

std::int32_t correction_of(const std::int8_t* codes, std::size_t n) noexcept {
  std::int32_t sum = 0;
  for (std::size_t j = 0; j < n; ++j) sum += codes[j];
  return -128 * sum;
}

float code_error(const float* values, const std::int8_t* codes, float scale, std::size_t dim) noexcept {
  double sum = 0.0;
  for (std::size_t j = 0; j < dim; ++j) {
    const double difference = static_cast<double>(values[j]) - static_cast<double>(scale) * codes[j];
    sum += difference * difference;
  }
  return bounded(std::sqrt(sum) * kUp);
}

double squared_norm(const float* values, std::size_t dim) noexcept {
  double sum = 0.0;
  for (std::size_t j = 0; j < dim; ++j)
    sum += static_cast<double>(values[j]) * static_cast<double>(values[j]);
  return sum;
}

float norm_bound(const float* values, std::size_t dim) noexcept {
  return bounded(std::sqrt(squared_norm(values, dim)) * kUp);
}

void interleave(const std::int8_t* codes, std::size_t n_chunks, std::size_t lane,
                std::uint8_t* group) noexcept {
  for (std::size_t c = 0; c < n_chunks; ++c) {
    std::uint8_t* const out = group + c * kChunkBytes + lane * kChunkDims;
    for (std::size_t j = 0; j < kChunkDims; ++j)
      out[j] = static_cast<std::uint8_t>(codes[c * kChunkDims + j] + 128);
  }
}

}  // namespace shortlist::retrieval
