#include "trees/rows.hpp"

#include <string>

#include "base/error.hpp"

namespace shortlist::trees {

void check_sparse(std::span<const std::int64_t> offsets, std::span<const std::int32_t> features,
                  std::size_t n_features) {
  const auto reject = [](const std::string& why) {
    throw Error(ErrorCode::invalid_argument, "X: sparse rows: " + why);
  };
  if (offsets.empty() || offsets.front() != 0) reject("indptr does not begin with 0");
  const auto n_entries = static_cast<std::int64_t>(features.size());
  for (std::size_t row = 0; row + 1 < offsets.size(); ++row) {
    const std::int64_t begin = offsets[row];
    const std::int64_t end = offsets[row + 1];
    if (begin > end || end > n_entries) reject("indptr of row " + std::to_string(row) + " is out of order");
    std::int64_t previous = -1;
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t feature = features[static_cast<std::size_t>(i)];
      if (feature <= previous || feature >= static_cast<std::int64_t>(n_features)) {
        reject("row " + std::to_string(row) + " lists column " + std::to_string(feature) +
               ", expected ascending columns below " + std::to_string(n_features));
      }
      previous = feature;
    }
  }
  if (offsets.back() != n_entries) reject("indptr does not end with the number of entries");
}

}  // namespace shortlist::trees
