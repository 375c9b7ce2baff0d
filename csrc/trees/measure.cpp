// What the kernels of a forest cost here.
#include <algorithm>
#include <chrono>
#include <limits>
#include <random>

#include "trees/forest.hpp"

namespace shortlist::trees {
namespace {

constexpr std::size_t kFewRows = 32;  // what fewer rows than a block of bits are scored by
constexpr std::size_t kBlockRows = 8 * kNarrowVectorBytes;
constexpr int kRepeats = 5;
constexpr std::size_t kMaxFeatures = std::size_t{1} << 16;  // rows of more are not made up

// For each feature the numbers that the forest asks for.
std::vector<std::vector<double>> numbers_of(const ForestArrays& arrays, std::size_t n_features) {
  std::vector<std::vector<double>> numbers(n_features);
  for (std::size_t c = 0; c < arrays.column_features.size(); ++c) {
    if (arrays.column_features[c] >= n_features) continue;  // derived
    std::vector<double>& of_feature = numbers[arrays.column_features[c]];
    const auto add = [&of_feature, c](std::span<const double> values,
                                      std::span<const std::uint32_t> offsets) {
      of_feature.insert(of_feature.end(), values.begin() + offsets[c], values.begin() + offsets[c + 1]);
    };
    add(arrays.thresholds, arrays.threshold_offsets);
    add(arrays.keys, arrays.key_offsets);
  }
  return numbers;
}

// Rows that spread over the trees; one number in ten is missing.
std::vector<float> rows_of(const std::vector<std::vector<double>>& numbers, std::size_t n) {
  std::mt19937 random(1);
  std::vector<float> rows;
  rows.reserve(n * numbers.size());
  for (std::size_t row = 0; row < n; ++row) {
    for (const std::vector<double>& of_feature : numbers) {
      const bool missing = of_feature.empty() || random() % 10 == 0;
      rows.push_back(missing ? std::numeric_limits<float>::quiet_NaN()
                             : static_cast<float>(of_feature[random() % of_feature.size()]));
    }
  }
  return rows;
}

// The least time of some calls, in nanoseconds.
template <class Call>
double least_time(const Call& call) {
  using Clock = std::chrono::steady_clock;
  call();
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kRepeats; ++i) {
    const Clock::time_point start = Clock::now();
    call();
    least = std::min(least, std::chrono::duration<double, std::nano>(Clock::now() - start).count());
  }
  return least;
}

}  // namespace

std::optional<KernelCosts> Forest::measure(const ForestArrays& arrays) {
  if (forced_tree_kernel() || n_features_ > kMaxFeatures) return std::nullopt;
  const std::vector<float> numbers = rows_of(numbers_of(arrays, n_features_), kBlockRows);
  const DenseRows<float> rows{numbers.data(), n_features_};
  std::vector<double> out(kBlockRows * n_outputs_);
  const auto time_of = [&](const KernelUse& use, std::size_t n) {
    use_ = use;
    AlignedBuffer<std::byte> scratch(scratch_bytes(n));
    return least_time([&] { predict(rows, n, default_rounds(), true, out.data(), scratch.data()); });
  };
  constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();
  KernelCosts costs{machine_of_kernels()};
  costs.walk = time_of({false, kNever}, kFewRows) / kFewRows;
  if (!lookup_.empty()) costs.lookup = time_of({true, kNever}, kFewRows) / kFewRows;
  if (!sliced_.empty()) costs.bitslice = time_of({false, 1}, kBlockRows);
  use(costs);
  return costs;
}

}  // namespace shortlist::trees
