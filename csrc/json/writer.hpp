// JSON text written into an arena; numbers are the shortest that read back to the same bits.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/arena.hpp"

namespace shortlist::json {

class Writer {
 public:
  explicit Writer(Arena& arena, std::size_t capacity = 4096)
      : arena_(arena), buffer_(arena.array<char>(capacity)) {}

  [[nodiscard]] std::string_view text() const noexcept { return {buffer_.data(), size_}; }

  // As it is: punctuation and constant keys.
  Writer& raw(std::string_view text) {
    reserve(text.size());
    std::memcpy(buffer_.data() + size_, text.data(), text.size());
    size_ += text.size();
    return *this;
  }
  Writer& integer(std::int64_t value) { return print(value); }
  // `value` must be finite.
  Writer& number(double value) { return print(value); }
  // In quotes, escaped.
  Writer& string(std::string_view text);

 private:
  void reserve(std::size_t more) {
    if (buffer_.size() - size_ < more) grow(more);
  }
  void grow(std::size_t more);
  template <class T>
  Writer& print(T value) {
    reserve(32);
    char* const start = buffer_.data() + size_;
    size_ += static_cast<std::size_t>(std::to_chars(start, start + 32, value).ptr - start);
    return *this;
  }

  Arena& arena_;
  std::span<char> buffer_;
  std::size_t size_ = 0;
};

}  // namespace shortlist::json
