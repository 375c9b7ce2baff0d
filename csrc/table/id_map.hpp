// Ids of a table, all int64 or all text, and the row of each: a hash table mapped from the bundle.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "bundle/safetensors.hpp"
#include "table/text_pool.hpp"

namespace shortlist::table {

class IdMap {
 public:
  IdMap() = default;
  // Tensors ids | id_offsets + id_bytes, and id_slots. Throws invalid_format where a look-up could leave the
  // table or take long.
  explicit IdMap(const TensorFile& file);

  [[nodiscard]] std::size_t size() const noexcept { return is_text_ ? texts_.size() : integers_.size(); }
  [[nodiscard]] bool is_text() const noexcept { return is_text_; }
  // The id of a row; which of the two is told by is_text().
  [[nodiscard]] std::int64_t integer(std::size_t row) const noexcept { return integers_[row]; }
  [[nodiscard]] std::string_view text(std::size_t row) const noexcept { return texts_[row]; }

  [[nodiscard]] std::optional<std::uint32_t> find(std::int64_t id) const noexcept;
  [[nodiscard]] std::optional<std::uint32_t> find(std::string_view id) const noexcept;

 private:
  [[nodiscard]] bool look_ups_are_short() const noexcept;

  bool is_text_ = false;
  std::span<const std::int64_t> integers_;
  TextPool texts_;
  std::span<const std::uint32_t> slots_;  // row + 1, 0 is empty; a power of two with an empty slot at least
};

}  // namespace shortlist::table
