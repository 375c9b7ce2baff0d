// What one feature is: the parsed form of an entry of features.json, and the checks every set of them passes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "features/value.hpp"

namespace shortlist::features {

inline constexpr std::string_view kDenseBlock = "dense";
inline constexpr std::uint64_t kMaxDenseCode = std::uint64_t{1} << 24;  // whole numbers float32 holds exactly
inline constexpr std::uint64_t kMaxCode = (std::uint64_t{1} << 31) - 1;
inline constexpr std::size_t kMaxFeatures = 16384;
inline constexpr std::size_t kMaxCrossFields = 3;

enum class FeatureKind : std::uint8_t { numeric, categorical, hashed, cross, similarity };

struct FeatureDefinition {
  FeatureKind kind = FeatureKind::numeric;
  std::string name;
  std::string block{kDenseBlock};
  std::vector<std::string> fields;  // "source.name": one, two or three of a cross, none of a similarity
  double offset = 0.0;              // numeric: (x - offset) / divisor
  double divisor = 1.0;
  double missing =
      std::numeric_limits<double>::quiet_NaN();  // numeric: what stands for a missing value, unscaled
  std::vector<std::string> vocabulary;           // categorical: canonical texts of the codes 1, 2, ...
  std::uint64_t buckets = 0;                     // hashed, cross: codes are below this
  std::uint64_t seed = 0;
};

// A field name taken apart: "user.age" is {user, "age"}.
struct FieldName {
  Source source;
  std::string_view name;
};
// Throws Error naming the feature where the text is not "user.", "context." or "item." and a name.
[[nodiscard]] FieldName parse_field(std::string_view field, std::string_view feature);

// Throws Error (invalid_argument) naming the feature and what is wrong.
void check_definitions(std::span<const FeatureDefinition> definitions);

// Reads features.json strictly: keys and types; check_definitions() sees to the rest.
// Throws Error (invalid_format) naming the feature and the key.
[[nodiscard]] std::vector<FeatureDefinition> parse_definitions(std::string_view json);

}  // namespace shortlist::features
