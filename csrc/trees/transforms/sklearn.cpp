#include "trees/transforms/sklearn.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace shortlist::trees {
namespace {

constexpr std::size_t kLanes = 8;
constexpr std::size_t kBlock = 128;

// Up to a block: eight partial sums side by side, then what is left over.
double sum_of_block(const double* values, std::size_t n) noexcept {
  double sum = 0.0;
  std::size_t i = 0;
  if (n >= kLanes) {
    std::array<double, kLanes> r;
    std::copy_n(values, kLanes, r.begin());
    for (i = kLanes; i + kLanes <= n; i += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) r[lane] += values[i + lane];
    }
    sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
  }
  for (; i < n; ++i) sum += values[i];
  return sum;
}

// Halves, cut at a multiple of the lanes, down to blocks; some 25 levels at most.
double sum_by_blocks(const double* values, std::size_t n) noexcept {
  if (n <= kBlock) return sum_of_block(values, n);
  const std::size_t half = n / 2 - n / 2 % kLanes;
  return sum_by_blocks(values, half) + sum_by_blocks(values + half, n - half);
}

}  // namespace

void softmax_by_blocks(double* row, std::size_t n) noexcept {
  const double greatest = *std::max_element(row, row + n);
  for (std::size_t i = 0; i < n; ++i) row[i] = std::exp(row[i] - greatest);
  const double sum = sum_by_blocks(row, n);
  for (std::size_t i = 0; i < n; ++i) row[i] /= sum;
}

}  // namespace shortlist::trees
