// Is a text valid UTF-8? Unicode 15, table 3-7.
#pragma once

#include <cstddef>
#include <string_view>

namespace shortlist::json {

// Bytes before the first ill-formed sequence; text.size() when there is none.
[[nodiscard]] std::size_t valid_utf8_prefix(std::string_view text) noexcept;

}  // namespace shortlist::json
