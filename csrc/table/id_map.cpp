#include "table/id_map.hpp"

#include <algorithm>
#include <bit>

#include "base/error.hpp"
#include "base/xxh64.hpp"

namespace shortlist::table {

IdMap::IdMap(const TensorFile& file) : is_text_(file.has("id_offsets")) {
  if (is_text_) {
    texts_ = TextPool(file, "id_offsets", "id_bytes");
  } else {
    integers_ = file.get<std::int64_t>("ids", {TensorFile::kAny});
  }
  slots_ = file.get<std::uint32_t>("id_slots", {TensorFile::kAny});
  if (size() >= UINT32_MAX || !std::has_single_bit(slots_.size()) || !look_ups_are_short()) {
    throw Error(ErrorCode::invalid_format, file.name() + ": tensor \"id_slots\" is no hash table over its " +
                                               std::to_string(size()) + " ids");
  }
}

// Every slot names a row or is empty, and from any slot an empty one is near.
bool IdMap::look_ups_are_short() const noexcept {
  const auto empty = std::find(slots_.begin(), slots_.end(), 0u);
  if (empty == slots_.end()) return false;
  const auto first = static_cast<std::size_t>(empty - slots_.begin());
  const std::size_t mask = slots_.size() - 1;
  std::size_t run = 0;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const std::uint32_t slot = slots_[(first + i) & mask];
    run = slot == 0 ? 0 : run + 1;
    if (slot > size() || run > kMaxProbes) return false;
  }
  return true;
}

std::optional<std::uint32_t> IdMap::find(std::int64_t id) const noexcept {
  if (is_text_) return std::nullopt;
  char bytes[8];
  std::memcpy(bytes, &id, sizeof bytes);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = xxh64({bytes, sizeof bytes}) & mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
    if (integers_[slots_[slot] - 1] == id) return slots_[slot] - 1;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> IdMap::find(std::string_view id) const noexcept {
  if (!is_text_) return std::nullopt;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = xxh64(id) & mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
    if (texts_[slots_[slot] - 1] == id) return slots_[slot] - 1;
  }
  return std::nullopt;
}

}  // namespace shortlist::table
