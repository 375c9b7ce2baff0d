// A column as the distinct values that occur in it and, for each row, which of them stands there.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "arrow/table.hpp"

namespace shortlist::arrow {

// Texts are borrowed from the table.
using Value = std::variant<std::string_view, bool, std::int64_t, std::uint64_t, double>;

// Values in order of their first row; `codes`, one for each row, are positions among them, -1 where
// null. Takes columns of texts and dictionaries of texts or numbers. Throws where the column is malformed.
[[nodiscard]] std::vector<Value> distinct_values(const Table& table, std::size_t column,
                                                 std::span<std::int32_t> codes);

}  // namespace shortlist::arrow
