// Columns of numbers of any type, read in order as float or double; what is null becomes NaN.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "arrow/type.hpp"

namespace shortlist::arrow {

// A stretch of a column; the memory is borrowed.
struct NumberChunk {
  Kind kind = Kind::null;
  const std::byte* values = nullptr;  // of row 0; of booleans the bitmap's beginning
  std::ptrdiff_t stride = 0;          // bytes from row to row
  std::size_t size = 0;
  const std::uint8_t* validity = nullptr;  // bitmap; null: all rows are valid
  std::size_t first_bit = 0;               // of row 0, in validity and in booleans
};

// Number is float or double.
template <class Number>
class NumberReader {
 public:
  explicit NumberReader(std::vector<NumberChunk> chunks);

  [[nodiscard]] std::size_t size() const noexcept;  // rows of all chunks
  // The next n rows, which must be there: in place where they lie so in memory, else put into `scratch` of n
  // numbers. Integers are rounded once, to the nearest Number.
  [[nodiscard]] const Number* next(std::size_t n, Number* scratch) noexcept;

 private:
  [[nodiscard]] bool lies_in_place(const NumberChunk& chunk) const noexcept;

  std::vector<NumberChunk> chunks_;
  std::size_t chunk_ = 0;
  std::size_t row_ = 0;  // of the chunk
};

// Copies the rows of a chunk of a table as they are, booleans as bytes, what is null as zero; says where that
// is and whether it is anywhere.
[[nodiscard]] bool copy_numbers(const NumberChunk& chunk, std::byte* to, bool* is_missing) noexcept;

// Fills n x columns.size() numbers, a row after another, from readers of n rows each at their beginning.
template <class Number>
void write_rows(std::vector<NumberReader<Number>>& columns, std::size_t n, Number* out) noexcept;

extern template class NumberReader<float>;
extern template class NumberReader<double>;

}  // namespace shortlist::arrow
