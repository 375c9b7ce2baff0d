#include "arrow/type.hpp"

#include <string_view>
#include <utility>

namespace shortlist::arrow {
namespace {

struct Format {
  std::string_view text;
  Kind kind;
  std::string_view name;
};

constexpr Format kFormats[] = {
    {"n", Kind::null, "null"},
    {"b", Kind::boolean, "bool"},
    {"c", Kind::int8, "int8"},
    {"s", Kind::int16, "int16"},
    {"i", Kind::int32, "int32"},
    {"l", Kind::int64, "int64"},
    {"C", Kind::uint8, "uint8"},
    {"S", Kind::uint16, "uint16"},
    {"I", Kind::uint32, "uint32"},
    {"L", Kind::uint64, "uint64"},
    {"e", Kind::float16, "float16"},
    {"f", Kind::float32, "float32"},
    {"g", Kind::float64, "float64"},
    {"u", Kind::utf8, "utf8"},
    {"U", Kind::large_utf8, "large_utf8"},
    {"vu", Kind::utf8_view, "utf8_view"},
};

// By how a format begins; the first that fits.
constexpr std::pair<std::string_view, std::string_view> kOthers[] = {
    {"vz", "binary_view"},
    {"z", "binary"},
    {"Z", "large_binary"},
    {"w:", "fixed_size_binary"},
    {"d:", "decimal"},
    {"tdD", "date32"},
    {"tdm", "date64"},
    {"tt", "time"},
    {"ts", "timestamp"},
    {"tD", "duration"},
    {"ti", "interval"},
    {"+l", "list"},
    {"+L", "large_list"},
    {"+vl", "list_view"},
    {"+vL", "large_list_view"},
    {"+w", "fixed_size_list"},
    {"+s", "struct"},
    {"+m", "map"},
    {"+u", "union"},
    {"+r", "run_end_encoded"},
};

Format format_of(std::string_view text) {
  for (const Format& format : kFormats) {
    if (format.text == text) return format;
  }
  for (const auto& [begin, name] : kOthers) {
    if (text.starts_with(begin)) return {text, Kind::other, name};
  }
  return {text, Kind::other, text.empty() ? std::string_view("without a format") : text};
}

}  // namespace

ColumnType column_type(const ArrowSchema& schema) {
  const Format own = format_of(schema.format == nullptr ? "" : schema.format);
  if (schema.dictionary == nullptr) return {own.kind, false, Kind::other, std::string(own.name)};
  const ArrowSchema& values = *schema.dictionary;
  const Format inner = format_of(values.format == nullptr ? "" : values.format);
  const bool is_known = is_integer(own.kind) && values.dictionary == nullptr;
  return {is_known ? inner.kind : Kind::other, true, own.kind,
          "dictionary<" + std::string(own.name) + ", " + std::string(inner.name) + ">"};
}

std::size_t byte_width(Kind kind) noexcept {
  switch (kind) {
    case Kind::int8:
    case Kind::uint8:
      return 1;
    case Kind::int16:
    case Kind::uint16:
    case Kind::float16:
      return 2;
    case Kind::int32:
    case Kind::uint32:
    case Kind::float32:
      return 4;
    case Kind::int64:
    case Kind::uint64:
    case Kind::float64:
      return 8;
    default:
      return 0;
  }
}

}  // namespace shortlist::arrow
