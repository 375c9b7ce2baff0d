// A raw attribute value, and the canonical text under which numbers and texts are hashed and looked up alike.
#pragma once

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace shortlist::features {

enum class Source : std::uint8_t { user, context, item };
inline constexpr std::size_t kSources = 3;

// A boolean is the number 0 or 1; a number that is NaN counts as missing. `text` is UTF-8 and only borrowed.
struct Value {
  enum class Kind : std::uint8_t { missing, number, text };
  Kind kind = Kind::missing;
  double number = 0.0;
  std::string_view text;

  [[nodiscard]] static Value of(double number) noexcept {
    return {std::isnan(number) ? Kind::missing : Kind::number, number, {}};
  }
  [[nodiscard]] static Value of(std::string_view text) noexcept { return {Kind::text, 0.0, text}; }
  [[nodiscard]] bool is_missing() const noexcept {
    return kind == Kind::missing || (kind == Kind::number && std::isnan(number));
  }
};

inline constexpr std::size_t kCanonicalBytes = 32;

// An integer of magnitude below 2^53 is written as a decimal integer (-0 as "0"); any other number with the
// fewest characters that read back to the same float64, fixed or scientific, fixed where both are as long
// ("0.1", "1e-05", "1e+300"; an exponent has a sign and two digits at least). Infinities are "inf" and
// "-inf". The text lies in `buffer`. `number` is not NaN.
[[nodiscard]] inline std::string_view canonical_text(double number,
                                                     char (&buffer)[kCanonicalBytes]) noexcept {
  constexpr double kExactIntegers = 9007199254740992.0;  // 2^53
  char* end = buffer;
  if (std::fabs(number) < kExactIntegers && number == std::trunc(number)) {
    end = std::to_chars(buffer, buffer + kCanonicalBytes, static_cast<std::int64_t>(number)).ptr;
  } else {
    end = std::to_chars(buffer, buffer + kCanonicalBytes, number).ptr;
  }
  return {buffer, static_cast<std::size_t>(end - buffer)};
}

}  // namespace shortlist::features
