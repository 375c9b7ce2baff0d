// A row to bytes. A rank is the page of its column's thresholds, then sixteen of its pivots, then sixteen
// thresholds. Included after a header that says how count_below() counts.
#include <cstring>

#include "kernels/lookup.hpp"

namespace shortlist {
namespace {

// How many of a page's thresholds are below x.
template <class S>
inline std::uint32_t rank_in_page(S x, const S* page) noexcept {
  const std::size_t sixteenth = count_below(page, x);
  const std::uint32_t inside = count_below(page + 16 + 16 * sixteenth, x);
  return static_cast<std::uint32_t>(16 * sixteenth) + inside;
}

template <class S>
inline std::uint32_t page_of(S x, const ThresholdPages<S>& column) noexcept {
  std::uint32_t page = 0;
  for (std::uint32_t left = column.n_pages - 1; left > 0;) {
    const std::uint32_t half = (left + 1) / 2;
    page += column.tops[page + half - 1] < x ? half : 0;
    left -= half;
  }
  return page;
}

template <class S>
void encode(const S* numbers, const RowTables<S>& tables, std::uint8_t* bytes) noexcept {
  alignas(64) std::uint32_t columns[kRowBytes], asked[kRowBytes];
  for (std::size_t i = 0; i < tables.n_columns; ++i) {
    const ThresholdPages<S>& column = tables.columns[i];
    const std::uint32_t page = column.n_pages == 1 ? 0 : page_of(numbers[i], column);
    columns[i] = page * static_cast<std::uint32_t>(kPageThresholds) +
                 rank_in_page(numbers[i], column.pages + page * kPageNumbers);
  }
  constexpr S kZero = static_cast<S>(1e-35f);
  for (std::size_t i = 0; i < tables.n_columns; ++i) {
    const S x = numbers[i];
    const bool nan = x != x, zero = !(x > kZero) & !(x < -kZero);
    columns[i] |= (nan ? kMissingNan : 0) | (zero ? kMissingZero : 0);
  }
  const std::size_t n = (tables.n_bytes + kRowStep - 1) / kRowStep * kRowStep;
  const std::uint32_t* const column = tables.column;
  for (std::size_t i = 0; i < n; ++i) {
    std::uint32_t value = columns[column[i]];
    asm("" : "+r"(value));  // loads and stores of words take less than a vector put together
    asked[i] = value;
  }
  const std::uint32_t* const missing = tables.missing;
  const std::uint32_t* const missing_rank = tables.missing_rank;
  const std::uint32_t* const base = tables.base;
  for (std::size_t first = 0; first < n; first += kRowStep) {
    std::uint8_t written[kRowStep];
    for (std::size_t i = 0; i < kRowStep; ++i) {
      const std::uint32_t ranked = asked[first + i];
      const std::uint32_t absent = 0u - static_cast<std::uint32_t>((ranked & missing[first + i]) != 0);
      const std::uint32_t rank = (missing_rank[first + i] & absent) | (ranked & 0xffff & ~absent);
      const std::uint32_t above = rank > base[first + i] ? rank - base[first + i] : 0;
      written[i] = static_cast<std::uint8_t>(above < 255 ? above : 255);
    }
    std::memcpy(bytes + first, written, kRowStep);
  }
}

}  // namespace
}  // namespace shortlist
