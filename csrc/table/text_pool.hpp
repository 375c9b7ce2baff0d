// Texts one after another with their offsets, and a way back from a text to its position.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bundle/safetensors.hpp"

namespace shortlist::table {

// Longest way of a look-up that a file may ask for: a fair table at most half full stays far below.
inline constexpr std::size_t kMaxProbes = 4096;

class TextPool {
 public:
  TextPool() = default;
  // Throws invalid_format unless the offsets rise from 0 to the number of bytes and each text is valid UTF-8.
  TextPool(const TensorFile& file, const std::string& offsets, const std::string& bytes);

  [[nodiscard]] std::size_t size() const noexcept { return offsets_.empty() ? 0 : offsets_.size() - 1; }
  [[nodiscard]] std::string_view operator[](std::size_t i) const noexcept {
    return {bytes_.data() + offsets_[i], static_cast<std::size_t>(offsets_[i + 1] - offsets_[i])};
  }

 private:
  std::span<const std::int64_t> offsets_;
  std::span<const char> bytes_;
};

// Open addressing with linear probing from xxh64(text); an entry is a position plus one, 0 is empty.
class TextLookup {
 public:
  TextLookup() = default;
  // Throws invalid_format, naming `where`, for a text that occurs twice or texts made to collide.
  TextLookup(const TextPool& pool, const std::string& where);
  [[nodiscard]] std::optional<std::uint32_t> find(const TextPool& pool, std::string_view text) const noexcept;

 private:
  std::vector<std::uint32_t> slots_;
};

}  // namespace shortlist::table
