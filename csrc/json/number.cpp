#include "json/number.hpp"

#include <charconv>

namespace shortlist::json {
namespace {

[[nodiscard]] bool digit(char c) noexcept { return c >= '0' && c <= '9'; }

const char* skip_digits(const char* at, const char* end) noexcept {
  while (at != end && digit(*at)) ++at;
  return at;
}

// Decimal exponent of the leading digit of a number that double cannot hold: above 0 it is too large, else
// too small.
[[nodiscard]] bool exceeds_double(const char* at, const char* end) noexcept {
  std::int64_t magnitude = 0;
  bool leading = true;
  bool fraction = false;
  for (; at != end && (digit(*at) || *at == '.'); ++at) {
    if (*at == '.') {
      fraction = true;
    } else if (leading && *at == '0') {
      magnitude -= fraction;
    } else {
      leading = false;
      magnitude += !fraction;
    }
  }
  if (at == end) return magnitude > 0;
  ++at;  // e or E
  const bool negative = *at == '-';
  at += (*at == '-' || *at == '+');
  std::int64_t exponent = 0;
  for (; at != end && exponent < (std::int64_t{1} << 40); ++at) exponent = exponent * 10 + (*at - '0');
  return magnitude + (negative ? -exponent : exponent) > 0;
}

}  // namespace

Number read_number(const char* at, const char* end) noexcept {
  Number result;
  const char* const start = at;
  const bool negative = at != end && *at == '-';
  at += negative;
  const char* const digits = at;
  if (at == end || !digit(*at)) return result;
  at = *at == '0' ? at + 1 : skip_digits(at, end);
  const char* const digits_end = at;
  bool integral = true;
  if (at != end && *at == '.') {
    integral = false;
    const char* const fraction = ++at;
    at = skip_digits(at, end);
    if (at == fraction) return result;
  }
  if (at != end && (*at == 'e' || *at == 'E')) {
    integral = false;
    ++at;
    if (at != end && (*at == '+' || *at == '-')) ++at;
    const char* const exponent = at;
    at = skip_digits(at, end);
    if (at == exponent) return result;
  }
  result.end = at;
  const bool negative_zero = negative && *digits == '0';
  if (integral && digits_end - digits <= 18 && !negative_zero) {
    for (const char* p = digits; p != digits_end; ++p) result.integer = result.integer * 10 + (*p - '0');
    if (negative) result.integer = -result.integer;
    result.kind = Number::Kind::integer;
    return result;
  }
  if (integral && !negative_zero && std::from_chars(start, at, result.integer).ec == std::errc{}) {
    result.kind = Number::Kind::integer;
    return result;
  }
  result.kind = Number::Kind::real;
  if (std::from_chars(start, at, result.real).ec == std::errc::result_out_of_range) {
    if (exceeds_double(digits, at)) {
      result.kind = Number::Kind::out_of_range;
    } else {
      result.real = negative ? -0.0 : 0.0;
    }
  }
  return result;
}

}  // namespace shortlist::json
