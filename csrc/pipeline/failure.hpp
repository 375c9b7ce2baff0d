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

// The pieces one after another.
[[nodiscard]] std::string_view concatenate(Arena& arena, std::initializer_list<std::string_view> pieces);
// An integer in decimal.
[[nodiscard]] std::string_view decimal(Arena& arena, std::int64_t value);
// A value as a message shows it: numbers and short texts themselves, anything larger by its type.
[[nodiscard]] std::string_view describe(Arena& arena, json::Value value);
// A text in quotes, cut after 40 bytes.
[[nodiscard]] std::string_view quote(Arena& arena, std::string_view text);

}  // namespace shortlist::pipeline
