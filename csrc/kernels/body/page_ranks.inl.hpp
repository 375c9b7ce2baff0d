// Ranks of lone numbers: the page of their thresholds, sixteen of its pivots, sixteen thresholds. Included
// after a header that says how count_below() counts.
#include "kernels/lookup.hpp"

namespace shortlist {
namespace {

template <class S>
void ranks(const S* numbers, const ThresholdPages<S>* columns, std::size_t n, std::uint32_t* ranks) noexcept {
  for (std::size_t i = 0; i < n; ++i) {
    const S x = numbers[i];
    std::uint32_t page = 0;
    for (std::uint32_t left = columns[i].n_pages - 1; left > 0;) {
      const std::uint32_t half = (left + 1) / 2;
      page += columns[i].tops[page + half - 1] < x ? half : 0;
      left -= half;
    }
    const S* const pivots = columns[i].pages + page * kPageNumbers;
    const std::uint32_t sixteenth = count_below(pivots, x);
    const std::uint32_t inside = count_below(pivots + 16 + 16 * sixteenth, x);
    ranks[i] = page * kPageThresholds + 16 * sixteenth + inside;
  }
}

}  // namespace
}  // namespace shortlist
