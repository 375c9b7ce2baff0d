// The rows that a forest scores: a matrix, or the rows of a sparse one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace shortlist::trees {

template <class T>
struct DenseRows {
  using Number = T;
  const T* numbers;    // n x stride
  std::size_t stride;  // the number of features

  [[nodiscard]] const T* row(std::size_t i) const noexcept { return numbers + i * stride; }
  [[nodiscard]] T at(std::size_t i, std::size_t feature) const noexcept { return row(i)[feature]; }
  // Calls visit(feature, number), features ascending.
  template <class Visit>
  void each_entry(std::size_t i, const Visit& visit) const noexcept {
    for (std::size_t feature = 0; feature < stride; ++feature) visit(feature, at(i, feature));
  }
  [[nodiscard]] DenseRows from(std::size_t first) const noexcept { return {row(first), stride}; }
};

// Compressed sparse rows. Features ascend within a row: check_sparse() has seen to it.
template <class T>
struct SparseRows {
  using Number = T;
  const std::int64_t* offsets;  // [n + 1] into the two others
  const std::int32_t* features;
  const T* numbers;
  T absent;  // what a feature that a row does not list stands for

  [[nodiscard]] T at(std::size_t i, std::size_t feature) const noexcept {
    const std::int32_t* begin = features + offsets[i];
    const std::int32_t* end = features + offsets[i + 1];
    const auto wanted = static_cast<std::int32_t>(feature);
    const std::int32_t* found = std::lower_bound(begin, end, wanted);
    return found != end && *found == wanted ? numbers[found - features] : absent;
  }
  // Calls visit(feature, number) for what the row lists, features ascending.
  template <class Visit>
  void each_entry(std::size_t i, const Visit& visit) const noexcept {
    for (std::int64_t entry = offsets[i]; entry < offsets[i + 1]; ++entry)
      visit(static_cast<std::size_t>(features[entry]), numbers[entry]);
  }
  [[nodiscard]] SparseRows from(std::size_t first) const noexcept {
    return {offsets + first, features, numbers, absent};
  }
};

// Throws invalid_argument naming the row where the arrays are no sparse rows of n_features.
void check_sparse(std::span<const std::int64_t> offsets, std::span<const std::int32_t> features,
                  std::size_t n_features);

}  // namespace shortlist::trees
