// JSON numbers to int64 or to the nearest double, exactly rounded.
#pragma once

#include <cstdint>

namespace shortlist::json {

struct Number {
  enum class Kind : std::uint8_t { invalid, out_of_range, integer, real };
  Kind kind = Kind::invalid;
  const char* end = nullptr;  // one past the number
  std::int64_t integer = 0;
  double real = 0.0;
};

// Reads the number that starts at `at`; integers beyond int64 become reals, tiny ones become zero,
// and what exceeds the range of double is out_of_range.
[[nodiscard]] Number read_number(const char* at, const char* end) noexcept;

}  // namespace shortlist::json
