// Texts to their positions: a flat open-addressing table over XXH64 that never allocates after it was built.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace shortlist::features {

class TextTable {
 public:
  TextTable() = default;
  // Fewer than 2^31 texts; of equal texts the first is found.
  explicit TextTable(std::span<const std::string> texts);

  [[nodiscard]] std::size_t size() const noexcept { return offsets_.size() - 1; }
  // `hash` is xxh64(text, seed 0). Hot.
  [[nodiscard]] std::optional<std::uint32_t> find(std::string_view text, std::uint64_t hash) const noexcept;

 private:
  struct Slot {
    std::uint32_t tag;    // upper half of the hash
    std::uint32_t entry;  // position + 1; 0 where empty
  };
  [[nodiscard]] std::string_view text(std::uint32_t position) const noexcept {
    return {bytes_.data() + offsets_[position], offsets_[position + 1] - offsets_[position]};
  }

  std::string bytes_;
  std::vector<std::size_t> offsets_ = {0};
  std::vector<Slot> slots_ = {Slot{0, 0}};  // power of two, at most half full
};

}  // namespace shortlist::features
