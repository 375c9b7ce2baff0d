// How CatBoost names a category: the low 32 bits of CityHash64, version 1.0, of its text.
// Specification: Pike and Alakuijala, CityHash v1.0.0 (later versions of CityHash64 differ).
#pragma once

#include <cstdint>
#include <string_view>

namespace shortlist::trees {

[[nodiscard]] std::uint64_t city_hash64(std::string_view text) noexcept;

// The hash of a category that is this text, in UTF-8.
[[nodiscard]] inline std::uint32_t hash_of_text(std::string_view text) noexcept {
  return static_cast<std::uint32_t>(city_hash64(text));
}

inline constexpr std::int64_t kNoCategory = -1;
inline constexpr double kHashedCategories = 0x1p53;

// The hash of the category that a cell of a categorical column stands for, or kNoCategory. A whole number
// below 2^53 in magnitude is the category whose text is that number in decimal (-0.0 is "0"); 2^53 + 2 h is
// the category whose hash is h < 2^32 (doubles are 2 apart there). NaN and everything else are no category.
[[nodiscard]] std::int64_t hash_of_cell(double cell) noexcept;

}  // namespace shortlist::trees
