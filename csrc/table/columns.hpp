// The item attributes that filters read: numbers, texts and lists of texts, one value or list a row.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "bundle/safetensors.hpp"
#include "table/text_pool.hpp"

namespace shortlist::table {

struct Column {
  enum class Kind : std::uint8_t { number, text, list };
  Kind kind = Kind::number;
  std::span<const double> numbers;        // NaN is missing
  std::span<const std::int32_t> codes;    // positions in `texts`; -1 is missing (text); concatenated (list)
  std::span<const std::int64_t> offsets;  // list: the codes of row i are codes[offsets[i] .. offsets[i + 1])
  TextPool texts;
  TextLookup lookup;
};

class Columns {
 public:
  Columns() = default;
  // Tensors number.NAME, text.NAME.*, list.NAME.* of a table with n_rows. Throws invalid_format, mismatch.
  Columns(const TensorFile& file, std::size_t n_rows);

  [[nodiscard]] std::size_t n_rows() const noexcept { return n_rows_; }
  [[nodiscard]] const Column* find(std::string_view name) const noexcept;
  // "genre, price": for messages.
  [[nodiscard]] const std::string& names() const noexcept { return names_; }

 private:
  std::size_t n_rows_ = 0;
  std::map<std::string, Column, std::less<>> columns_;
  std::string names_;
};

}  // namespace shortlist::table
