// Why a request was not answered; the message lies in the request's arena.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "base/arena.hpp"
#include "json/reader.hpp"

namespace shortlist::pipeline {

struct Failure {
  enum class Kind : std::uint8_t { none, bad_request, internal };
  Kind kind = Kind::none;
  std::string_view message;
};

// Where in a request a value stands: in a field, or in an element of one.
struct Place {
  static constexpr std::size_t kNoElement = SIZE_MAX;
  std::string_view field;
  std::size_t element = kNoElement;
};

// The pieces one after another.
[[nodiscard]] std::string_view concatenate(Arena& arena, std::initializer_list<std::string_view> pieces);
// An integer in decimal.
[[nodiscard]] std::string_view decimal(Arena& arena, std::int64_t value);
// A value as a message shows it: numbers and short texts themselves, anything larger by its type.
[[nodiscard]] std::string_view describe(Arena& arena, json::Value value);
// "user", "candidates[3]"
[[nodiscard]] std::string_view place_text(Arena& arena, Place place);
// At most the first 64 bytes, in whole characters: for names that callers make up.
[[nodiscard]] std::string_view clipped(std::string_view text) noexcept;
// A text in quotes, cut after 40 bytes.
[[nodiscard]] std::string_view quote(Arena& arena, std::string_view text);

}  // namespace shortlist::pipeline
