// The key under which a view of categories looks a number up.
#pragma once

#include <cmath>
#include <optional>

#include "trees/city_hash.hpp"
#include "trees/node.hpp"

namespace shortlist::trees {

// The key of x, which is not NaN, or none.
[[nodiscard]] inline std::optional<double> key_of(ViewKind kind, double x) noexcept {
  switch (kind) {
    case ViewKind::category:  // as LightGBM: -0.5 is category 0
      if (x > -1.0 && x < 2147483648.0) return std::trunc(x);
      return std::nullopt;
    case ViewKind::category_24:
      if (x >= 0.0 && x < 16777216.0) return std::trunc(x);
      return std::nullopt;
    case ViewKind::hashed: {
      const std::int64_t hash = hash_of_cell(x);
      if (hash == kNoCategory) return std::nullopt;
      return static_cast<double>(hash);
    }
    default:
      return x;
  }
}

}  // namespace shortlist::trees
