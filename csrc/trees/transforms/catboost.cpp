#include "trees/transforms/catboost.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace shortlist::trees {
namespace {

constexpr int kTableBits = 11;
constexpr std::size_t kTableSize = std::size_t{1} << kTableBits;
constexpr std::uint64_t kMantissa = (std::uint64_t{1} << 52) - 1;

// Mantissas of 2^(i / 2048).
std::array<std::uint64_t, kTableSize> make_table() noexcept {
  std::array<std::uint64_t, kTableSize> table;
  for (std::size_t i = 0; i < kTableSize; ++i) {
    const double power = std::pow(2.0, static_cast<double>(i) * (1.0 / kTableSize));
    table[i] = std::bit_cast<std::uint64_t>(power) & kMantissa;
  }
  return table;
}
const std::array<std::uint64_t, kTableSize> kTable = make_table();

}  // namespace

double catboost_exp(double x) noexcept {
  constexpr double kGreatest = 709.78271114955749;
  constexpr double kLeast = -708.39641853226408;
  constexpr double kStepsPerUnit = kTableSize / std::numbers::ln2;
  constexpr double kStep = std::numbers::ln2 / kTableSize;
  constexpr double kRounder = 6755399441055744.0;  // 3 * 2^51: its low bits take the number of steps
  constexpr std::uint64_t kExponentBias = (std::uint64_t{1} << (kTableBits + 10)) - kTableSize;

  x = std::max(std::min(x, kGreatest), kLeast);
  const double steps = x * kStepsPerUnit + kRounder;
  const auto bits = std::bit_cast<std::uint64_t>(steps);
  const double t = (steps - kRounder) * kStep - x;
  const std::uint64_t exponent = ((bits + kExponentBias) >> kTableBits) << 52;
  const double y = (3.0000000027955394 - t) * (t * t) * 0.16666666685227835064 - t + 1.0;
  return y * std::bit_cast<double>(exponent | kTable[bits % kTableSize]);
}

void catboost_softmax(double* row, std::size_t n) noexcept {
  const double greatest = *std::max_element(row, row + n);
  double sum = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    row[i] = catboost_exp(row[i] - greatest);
    sum += row[i];
  }
  for (std::size_t i = 0; i < n; ++i) row[i] /= sum;
}

}  // namespace shortlist::trees
