#include "pipeline/failure.hpp"

#include <charconv>
#include <cstring>

namespace shortlist::pipeline {
namespace {

// At most the first `limit` bytes, in whole characters.
[[nodiscard]] std::string_view cut_to(std::string_view text, std::size_t limit) noexcept {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  return text.substr(0, limit);
}

}  // namespace

std::string_view concatenate(Arena& arena, std::initializer_list<std::string_view> pieces) {
  std::size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.size();
  char* const text = arena.array<char>(size).data();
  char* at = text;
  for (const std::string_view piece : pieces) {
    if (piece.empty()) continue;
    std::memcpy(at, piece.data(), piece.size());
    at += piece.size();
  }
  return {text, size};
}

std::string_view decimal(Arena& arena, std::int64_t value) {
  char* const text = arena.array<char>(24).data();
  return {text, static_cast<std::size_t>(std::to_chars(text, text + 24, value).ptr - text)};
}

std::string_view place_text(Arena& arena, Place place) {
  if (place.element == Place::kNoElement) return place.field;
  return concatenate(arena,
                     {place.field, "[", decimal(arena, static_cast<std::int64_t>(place.element)), "]"});
}

std::string_view clipped(std::string_view text) noexcept { return cut_to(text, 64); }

std::string_view quote(Arena& arena, std::string_view text) {
  const std::string_view shown = cut_to(text, 40);
  return concatenate(arena, {"\"", shown, shown.size() < text.size() ? "...\"" : "\""});
}

std::string_view describe(Arena& arena, json::Value value) {
  switch (value.type()) {
    case json::Type::boolean:
      return value.boolean() ? "true" : "false";
    case json::Type::integer:
      return decimal(arena, value.integer());
    case json::Type::number: {
      char* const text = arena.array<char>(40).data();
      const std::string_view digits{
          text, static_cast<std::size_t>(std::to_chars(text, text + 38, value.number()).ptr - text)};
      // A whole number keeps what tells it from an integer.
      if (digits.find_first_of(".e") != std::string_view::npos) return digits;
      text[digits.size()] = '.';
      text[digits.size() + 1] = '0';
      return {text, digits.size() + 2};
    }
    case json::Type::string:
      return quote(arena, value.string());
    default:
      return json::type_name(value.type());
  }
}

}  // namespace shortlist::pipeline
