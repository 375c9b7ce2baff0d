#include "json/writer.hpp"

#include <algorithm>

namespace shortlist::json {

void Writer::grow(std::size_t more) {
  const std::span<char> larger = arena_.array<char>(std::max(buffer_.size() * 2, size_ + more));
  std::memcpy(larger.data(), buffer_.data(), size_);
  buffer_ = larger;
}

Writer& Writer::string(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  reserve(text.size() * 6 + 2);
  char* out = buffer_.data() + size_;
  *out++ = '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      *out++ = '\\';
      *out++ = c;
    } else if (byte >= 0x20) {
      *out++ = c;
    } else {
      std::memcpy(out, "\\u00", 4);
      out[4] = kHex[byte >> 4];
      out[5] = kHex[byte & 0xF];
      out += 6;
    }
  }
  *out++ = '"';
  size_ = static_cast<std::size_t>(out - buffer_.data());
  return *this;
}

}  // namespace shortlist::json
