// What a column's format string says, as far as numbers and texts can come out of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "arrow/c_data.hpp"

namespace shortlist::arrow {

enum class Kind : std::uint8_t {
  null,
  boolean,  // bits
  int8,
  int16,
  int32,
  int64,
  uint8,
  uint16,
  uint32,
  uint64,
  float16,
  float32,
  float64,
  utf8,
  large_utf8,
  utf8_view,
  other,  // everything else, which no column of features is
};

struct ColumnType {
  Kind kind = Kind::other;     // of the values
  bool is_dictionary = false;  // values stand in a dictionary, rows are indices into it
  Kind index = Kind::other;    // of the indices
  std::string name;            // such as "dictionary<uint32, utf8_view>", for messages
};

// Never throws for a format it does not know: kind `other`, named.
[[nodiscard]] ColumnType column_type(const ArrowSchema& schema);

[[nodiscard]] constexpr bool is_integer(Kind kind) noexcept {
  return kind >= Kind::int8 && kind <= Kind::uint64;
}
[[nodiscard]] constexpr bool is_number(Kind kind) noexcept {
  return kind >= Kind::boolean && kind <= Kind::float64;
}
[[nodiscard]] constexpr bool is_text(Kind kind) noexcept {
  return kind >= Kind::utf8 && kind <= Kind::utf8_view;
}

// Bytes of a number; 0 for booleans, which are bits, and for anything that is no number.
[[nodiscard]] std::size_t byte_width(Kind kind) noexcept;

}  // namespace shortlist::arrow
