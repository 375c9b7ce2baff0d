#include "features/text_table.hpp"

#include <bit>

#include "base/xxh64.hpp"

namespace shortlist::features {

TextTable::TextTable(std::span<const std::string> texts)
    : slots_(std::bit_ceil(texts.size() * 2 + 1), Slot{0, 0}) {
  offsets_.reserve(texts.size() + 1);
  const std::size_t mask = slots_.size() - 1;
  for (const std::string& added : texts) {
    const std::uint64_t hash = xxh64(added);
    const auto position = static_cast<std::uint32_t>(offsets_.size() - 1);
    bytes_ += added;
    offsets_.push_back(bytes_.size());
    if (find(added, hash)) continue;
    std::size_t at = hash & mask;
    while (slots_[at].entry != 0) at = (at + 1) & mask;
    slots_[at] = {static_cast<std::uint32_t>(hash >> 32), position + 1};
  }
}

std::optional<std::uint32_t> TextTable::find(std::string_view wanted, std::uint64_t hash) const noexcept {
  const std::size_t mask = slots_.size() - 1;
  const auto tag = static_cast<std::uint32_t>(hash >> 32);
  for (std::size_t at = hash & mask; slots_[at].entry != 0; at = (at + 1) & mask) {
    const Slot slot = slots_[at];
    if (slot.tag == tag && text(slot.entry - 1) == wanted) return slot.entry - 1;
  }
  return std::nullopt;
}

}  // namespace shortlist::features
