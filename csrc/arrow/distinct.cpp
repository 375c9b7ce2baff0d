#include "arrow/distinct.hpp"

#include <bit>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <unordered_map>

#include "arrow/numbers.hpp"
#include "base/error.hpp"

namespace shortlist::arrow {
namespace {

constexpr std::int32_t kNull = -1;
constexpr std::int32_t kUnread = -2;

template <class T>
T number_at(const ArrayView& rows, std::size_t row) noexcept {
  T value;
  std::memcpy(&value, rows.values() + (rows.first() + row) * sizeof(T), sizeof(T));
  return value;
}

double float_at(const ArrayView& rows, std::size_t row) noexcept {
  const std::size_t width = byte_width(rows.kind());
  const std::byte* const values = rows.values() + (rows.first() + row) * width;
  NumberReader<double> reader({{rows.kind(), values, static_cast<std::ptrdiff_t>(width), 1, nullptr, 0}});
  double scratch;
  return *reader.next(1, &scratch);
}

Value value_at(const ArrayView& rows, std::size_t row) {
  switch (rows.kind()) {
    case Kind::boolean:
      return test_bit(reinterpret_cast<const std::uint8_t*>(rows.values()), rows.first() + row);
    case Kind::int8:
      return std::int64_t{number_at<std::int8_t>(rows, row)};
    case Kind::int16:
      return std::int64_t{number_at<std::int16_t>(rows, row)};
    case Kind::int32:
      return std::int64_t{number_at<std::int32_t>(rows, row)};
    case Kind::int64:
      return number_at<std::int64_t>(rows, row);
    case Kind::uint8:
      return std::uint64_t{number_at<std::uint8_t>(rows, row)};
    case Kind::uint16:
      return std::uint64_t{number_at<std::uint16_t>(rows, row)};
    case Kind::uint32:
      return std::uint64_t{number_at<std::uint32_t>(rows, row)};
    case Kind::uint64:
      return number_at<std::uint64_t>(rows, row);
    case Kind::float16:
    case Kind::float32:
    case Kind::float64:
      return float_at(rows, row);
    default:
      return rows.text(row);
  }
}

// Numbers the distinct values of a column. Of the texts, equal ones get one number; entries of a dictionary
// that are numbers stay apart, a dictionary has each once.
class Numbering {
 public:
  std::int32_t code(const Value& value) {
    if (const auto* const text = std::get_if<std::string_view>(&value)) {
      const auto [found, is_new] = texts_.try_emplace(*text, static_cast<std::int32_t>(values_.size()));
      return is_new ? add(value) : found->second;
    }
    return add(value);
  }
  [[nodiscard]] std::vector<Value> take() && { return std::move(values_); }

 private:
  std::int32_t add(const Value& value) {
    if (values_.size() == static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
      throw Error(ErrorCode::unsupported, "Arrow: more than 2^31 - 1 distinct values in a column");
    }
    values_.push_back(value);
    return static_cast<std::int32_t>(values_.size() - 1);
  }

  std::unordered_map<std::string_view, std::int32_t> texts_;
  std::vector<Value> values_;
};

// The codes of the entries of a dictionary, each found when first asked for. A dictionary much longer than
// its rows costs nothing for entries that no row has.
class DictionaryCodes {
 public:
  DictionaryCodes(const ArrayView& entries, std::size_t n_rows, Numbering& numbering)
      : entries_(entries), numbering_(numbering) {
    if (entries.size() <= 4 * n_rows + 64) dense_.assign(entries.size(), kUnread);
  }

  std::int32_t code(std::size_t entry) {
    if (!dense_.empty()) {
      std::int32_t& code = dense_[entry];
      if (code == kUnread) code = read(entry);
      return code;
    }
    const auto [found, is_new] = sparse_.try_emplace(entry, kUnread);
    if (is_new) found->second = read(entry);
    return found->second;
  }

 private:
  std::int32_t read(std::size_t entry) {
    return entries_.is_valid(entry) ? numbering_.code(value_at(entries_, entry)) : kNull;
  }

  const ArrayView& entries_;
  Numbering& numbering_;
  std::vector<std::int32_t> dense_;
  std::unordered_map<std::size_t, std::int32_t> sparse_;
};

void add_texts(const ArrayView& rows, Numbering& numbering, std::int32_t* codes) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    codes[row] = rows.is_valid(row) ? numbering.code(rows.text(row)) : kNull;
  }
}

void add_indices(const ArrayView& rows, const ArrayView& entries, Numbering& numbering, std::int32_t* codes) {
  DictionaryCodes dictionary(entries, rows.size(), numbering);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    codes[row] = rows.is_valid(row) ? dictionary.code(rows.index(row, entries.size())) : kNull;
  }
}

}  // namespace

std::vector<Value> distinct_values(const Table& table, std::size_t column, std::span<std::int32_t> codes) {
  const ColumnType& type = table.columns()[column].type;
  const bool has_values = is_text(type.kind) || (type.is_dictionary && type.kind != Kind::other);
  if (!has_values) {
    throw Error(ErrorCode::invalid_argument,
                table.where(column) + " is of type " + type.name + ", expected texts or a dictionary");
  }
  Numbering numbering;
  std::int32_t* out = codes.data();
  for (const Table::Chunk& chunk : table.chunks(column)) {
    if (type.is_dictionary) {
      const ArrayView entries(*chunk.dictionary, type.kind, table.where(column) + ": its dictionary");
      add_indices(chunk.rows, entries, numbering, out);
    } else {
      add_texts(chunk.rows, numbering, out);
    }
    out += chunk.rows.size();
  }
  return std::move(numbering).take();
}

}  // namespace shortlist::arrow
