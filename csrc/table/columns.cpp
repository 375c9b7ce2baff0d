#include "table/columns.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace shortlist::table {
namespace {

// "x" of "number.x" or "text.x.codes"; empty where prefix or suffix differ.
std::string_view between(std::string_view name, std::string_view prefix, std::string_view suffix) {
  if (name.size() <= prefix.size() + suffix.size() || !name.starts_with(prefix) || !name.ends_with(suffix))
    return {};
  return name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
}

void check_codes(const TensorFile& file, const std::string& tensor, std::span<const std::int32_t> codes,
                 std::int32_t lowest, std::size_t n_texts) {
  const bool inside = std::all_of(codes.begin(), codes.end(), [&](std::int32_t code) {
    return code >= lowest && code < static_cast<std::int64_t>(n_texts);
  });
  if (!inside) {
    throw Error(ErrorCode::invalid_format,
                file.name() + ": tensor \"" + tensor + "\" has codes outside its texts");
  }
}

Column number_column(const TensorFile& file, const std::string& tensor, std::size_t n_rows) {
  Column column;
  column.numbers = file.get<double>(tensor, {n_rows});
  return column;
}

Column text_column(const TensorFile& file, const std::string& base, std::size_t n_rows) {
  Column column;
  column.kind = Column::Kind::text;
  column.texts = TextPool(file, base + ".offsets", base + ".bytes");
  column.codes = file.get<std::int32_t>(base + ".codes", {n_rows});
  check_codes(file, base + ".codes", column.codes, -1, column.texts.size());
  column.lookup = TextLookup(column.texts, file.name() + ": tensor \"" + base + ".bytes\"");
  return column;
}

Column list_column(const TensorFile& file, const std::string& base, std::size_t n_rows) {
  Column column;
  column.kind = Column::Kind::list;
  column.texts = TextPool(file, base + ".dict_offsets", base + ".dict_bytes");
  column.codes = file.get<std::int32_t>(base + ".codes", {TensorFile::kAny});
  column.offsets = file.get<std::int64_t>(base + ".offsets", {n_rows + 1});
  check_codes(file, base + ".codes", column.codes, 0, column.texts.size());
  bool rising =
      column.offsets.front() == 0 && column.offsets.back() == static_cast<std::int64_t>(column.codes.size());
  for (std::size_t i = 0; rising && i < n_rows; ++i) rising = column.offsets[i] <= column.offsets[i + 1];
  if (!rising) {
    throw Error(ErrorCode::invalid_format, file.name() + ": tensor \"" + base +
                                               ".offsets\" does not rise from 0 to the number of codes");
  }
  column.lookup = TextLookup(column.texts, file.name() + ": tensor \"" + base + ".dict_bytes\"");
  return column;
}

}  // namespace

Columns::Columns(const TensorFile& file, std::size_t n_rows) : n_rows_(n_rows) {
  for (const std::string& tensor : file.names()) {
    if (const std::string name(between(tensor, "number.", "")); !name.empty()) {
      columns_.emplace(name, number_column(file, tensor, n_rows));
    } else if (const std::string text(between(tensor, "text.", ".codes")); !text.empty()) {
      columns_.emplace(text, text_column(file, "text." + text, n_rows));
    } else if (const std::string list(between(tensor, "list.", ".codes")); !list.empty()) {
      columns_.emplace(list, list_column(file, "list." + list, n_rows));
    }
  }
  for (const auto& [name, column] : columns_) names_ += (names_.empty() ? "" : ", ") + name;
}

const Column* Columns::find(std::string_view name) const noexcept {
  const auto found = columns_.find(name);
  return found == columns_.end() ? nullptr : &found->second;
}

}  // namespace shortlist::table
