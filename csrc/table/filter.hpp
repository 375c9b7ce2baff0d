// Filter expressions over item attributes, such as: price < 20 and genre in ['jazz', 'blues'].
//
//   expression  = conjunction { "or" conjunction }
//   conjunction = term { "and" term }
//   term        = "not" term | "(" expression ")" | column comparison
//   comparison  = ( "==" | "=" | "!=" | "<" | "<=" | ">" | ">=" ) literal | [ "not" ] "in" "[" literal { ","
//   literal } "]" literal     = number | 'text' | "text" | true | false
//
// A column that holds lists passes == and in where any element does. A missing value passes nothing but
// != and not in, which are the negations of == and in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/arena.hpp"
#include "table/columns.hpp"

namespace shortlist::table {

inline constexpr std::size_t kMaxFilterBytes = 8192;
inline constexpr std::size_t kMaxFilterDepth = 32;
inline constexpr std::size_t kMaxFilterComparisons = 256;  // each reads a column of the whole table

struct FilterError {
  const char* message = nullptr;  // a constant; null when the expression was valid
  std::size_t offset = 0;         // bytes before the mistake
  std::string_view name;          // the column meant, where the message is about one
};

// The rows that pass, as a bitmap in the arena; empty on a mistake. Throws only std::bad_alloc.
[[nodiscard]] std::span<std::uint64_t> filter_rows(std::string_view expression, const Columns& columns,
                                                   Arena& arena, FilterError& error);

}  // namespace shortlist::table
