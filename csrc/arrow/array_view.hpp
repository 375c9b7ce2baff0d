// Rows of one array, its counts and buffers checked as far as the interface tells their sizes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "arrow/c_data.hpp"
#include "arrow/type.hpp"

namespace shortlist::arrow {

// A bit of a bitmap whose bits count from the least of each byte.
[[nodiscard]] inline bool test_bit(const std::uint8_t* bits, std::size_t at) noexcept {
  return (bits[at / 8] >> (at % 8) & 1) != 0;
}

class ArrayView {
 public:
  // Rows [begin, begin + length) of `array`, counted from its own offset; `kind` is that of the indices where
  // it has a dictionary. `where` opens messages. Throws where a count is out of its domain, a child or a
  // buffer is absent, or text offsets descend.
  ArrayView(const ArrowArray& array, Kind kind, std::int64_t begin, std::int64_t length,
            const std::string& where);
  // The whole array.
  ArrayView(const ArrowArray& array, Kind kind, const std::string& where);

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  // Position of row 0 in the buffers.
  [[nodiscard]] std::size_t first() const noexcept { return first_; }
  [[nodiscard]] bool is_valid(std::size_t row) const noexcept {
    return kind_ != Kind::null && (validity_ == nullptr || test_bit(validity_, first_ + row));
  }
  // A bitmap from the buffer's beginning; null where all rows are valid.
  [[nodiscard]] const std::uint8_t* validity() const noexcept { return validity_; }
  // Numbers, from the buffer's beginning.
  [[nodiscard]] const std::byte* values() const noexcept { return values_; }
  // An index of a dictionary; throws where it is not below `limit`. The row must be valid.
  [[nodiscard]] std::size_t index(std::size_t row, std::size_t limit) const;
  // UTF-8, not checked; the row must be valid. Throws where it lies outside the buffers, as far as
  // they are known.
  [[nodiscard]] std::string_view text(std::size_t row) const;

 private:
  void check_counts(const ArrowArray& array) const;
  void take_buffers(const ArrowArray& array);
  [[nodiscard]] std::string_view viewed_text(std::size_t at) const;
  template <class Offset>
  [[nodiscard]] std::string_view offset_text(std::size_t at) const;
  [[noreturn]] void fail(const std::string& message) const;

  Kind kind_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  const std::uint8_t* validity_ = nullptr;
  const std::byte* values_ = nullptr;  // numbers, offsets or views
  const std::byte* data_ = nullptr;    // bytes of texts with offsets
  const void* const* buffers_ = nullptr;
  std::size_t n_data_buffers_ = 0;         // of views
  const std::byte* data_sizes_ = nullptr;  // int64 each
  std::string where_;
};

}  // namespace shortlist::arrow
