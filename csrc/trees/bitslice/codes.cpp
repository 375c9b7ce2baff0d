#include "trees/bitslice/codes.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "trees/category_key.hpp"

namespace shortlist::trees {
namespace {

constexpr double kMaxTable = 65536.0;
// Entries where a table cannot hold every key: the categories that are most often met.
constexpr double kPartialTable = 1024.0;

}  // namespace

CategoryCodes::CategoryCodes(ViewKind kind, std::span<const double> keys,
                             std::span<const std::uint16_t> codes)
    : kind_(kind), keys_(keys.begin(), keys.end()), key_codes_(codes.begin(), codes.end()) {
  std::uint32_t n_codes = 0;
  for (const std::uint16_t code : codes) n_codes = std::max(n_codes, code + 1u);
  unknown_ = static_cast<std::uint16_t>(n_codes + 1);
  if (kind == ViewKind::category) lowest_ = std::nextafter(-1.0, 0.0);

  complete_ = table_is_complete();
  size_ = kPartialTable;
  if (complete_) size_ = keys_.empty() ? 0.0 : std::max(0.0, std::floor(keys_.back()) + 1.0);
  const auto size = static_cast<std::size_t>(size_);
  n_places_ = static_cast<std::uint32_t>(size);
  table_.resize(size + 2);
  for (std::size_t i = 0; i < size; ++i) table_[i] = search(static_cast<double>(i));
  table_[size] = unknown_;
  table_[size + 1] = static_cast<std::uint16_t>(unknown_ - 1);
}

bool CategoryCodes::table_is_complete() const noexcept {
  if (kind_ == ViewKind::hashed) return false;
  if (keys_.empty()) return true;
  if (keys_.back() >= kMaxTable) return false;
  // Numbers that are cut off have no other keys than whole ones.
  return kind_ != ViewKind::value || std::all_of(keys_.begin(), keys_.end(), [](double key) {
           return key >= 0.0 && std::trunc(key) == key;
         });
}

std::uint16_t CategoryCodes::search(double x) const noexcept {
  const std::optional<double> key = key_of(kind_, x);
  if (!key) return unknown_;
  const auto found = std::lower_bound(keys_.begin(), keys_.end(), *key);
  if (found == keys_.end() || *found != *key) return unknown_;
  return key_codes_[static_cast<std::size_t>(found - keys_.begin())];
}

template <bool whole>
std::uint32_t CategoryCodes::place(double x) const noexcept {
  bool inside = (x >= lowest_) & (x < size_);
  const double number = inside ? x : size_;  // fits an integer
  const auto cut_off = static_cast<std::int32_t>(number);
  if constexpr (whole) inside = inside & (static_cast<double>(cut_off) == number);
  const std::uint32_t outside = n_places_ + (x != x ? 1u : 0u);
  return inside ? static_cast<std::uint32_t>(cut_off) : outside;
}

std::uint16_t CategoryCodes::code(double x) const noexcept {
  std::uint16_t found = 0;
  codes(&x, 1, false, &found);
  return found;
}

template <bool whole, class Number>
void CategoryCodes::codes_of(std::size_t n, const Number& number, std::uint16_t* out) const noexcept {
  const std::uint16_t* const table = table_.data();
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t at = place<whole>(number(i));
    out[i] = at == n_places_ && !complete_ ? search(number(i)) : table[at];
  }
}

template <class T>
void CategoryCodes::codes(const T* numbers, std::size_t n, bool rounded, std::uint16_t* out) const noexcept {
  const auto exact = [numbers](std::size_t i) { return static_cast<double>(numbers[i]); };
  const auto as_float = [numbers](std::size_t i) {
    return static_cast<double>(static_cast<float>(numbers[i]));
  };
  if (kind_ == ViewKind::hashed) return codes_of<true>(n, exact, out);
  if (kind_ == ViewKind::value)
    return rounded ? codes_of<true>(n, as_float, out) : codes_of<true>(n, exact, out);
  return rounded ? codes_of<false>(n, as_float, out) : codes_of<false>(n, exact, out);
}

template void CategoryCodes::codes(const float*, std::size_t, bool, std::uint16_t*) const noexcept;
template void CategoryCodes::codes(const double*, std::size_t, bool, std::uint16_t*) const noexcept;

}  // namespace shortlist::trees
