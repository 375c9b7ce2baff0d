// CatBoost's CTRs: a float computed from one or more columns by tables of the model, a column more for the
// splits to read.
//
// A projection joins columns (its elements) into one 64-bit key: each category's hash, and the answer, 0 or
// 1, of each comparison. Its table gives a row of values for each key that training saw; every other key, and
// a cell that is no category, gives the defaults.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace shortlist::trees {

enum class CtrElement : std::uint8_t {
  category = 0,        // hash_of_cell
  greater = 1,         // float(x) > border; NaN: 0
  greater_or_nan = 2,  // float(x) > border; NaN: whether border < +inf
  equals = 3,          // whether hash_of_cell is `hash`
};
inline constexpr std::uint8_t kCtrElements = 4;
inline constexpr std::uint64_t kEmptySlot = ~std::uint64_t{0};

// The tensors of that name with "ctr_" before it. P projections; offsets begin with 0 and end with the size.
struct CtrArrays {
  std::span<const std::uint32_t> element_offsets;   // P + 1
  std::span<const std::uint8_t> element_kinds;      // CtrElement
  std::span<const std::uint32_t> element_features;  // columns
  std::span<const float> element_borders;
  std::span<const std::uint32_t> element_hashes;
  // Open addressing: a key is looked for from slot `key >> shift` of the projection's own on, until it or an
  // empty slot is met. The last slot of each projection is empty.
  std::span<const std::uint8_t> shifts;           // P, 1 to 63
  std::span<const std::uint64_t> slot_offsets;    // P + 1
  std::span<const std::uint64_t> slot_keys;       // kEmptySlot: no key
  std::span<const std::uint32_t> slot_rows;       // row of the projection's values
  std::span<const std::uint32_t> column_offsets;  // P + 1: the derived columns that a projection gives
  std::span<const std::uint64_t> value_offsets;   // P + 1
  std::span<const float> values;                  // by projection, row, column
  std::span<const float> defaults;                // a derived column each
};

// Calls visit(name, span) for each tensor.
template <class Arrays, class Visit>
void for_each_ctr_tensor(Arrays& arrays, Visit&& visit) {
  visit("ctr_element_offsets", arrays.element_offsets);
  visit("ctr_element_kinds", arrays.element_kinds);
  visit("ctr_element_features", arrays.element_features);
  visit("ctr_element_borders", arrays.element_borders);
  visit("ctr_element_hashes", arrays.element_hashes);
  visit("ctr_shifts", arrays.shifts);
  visit("ctr_slot_offsets", arrays.slot_offsets);
  visit("ctr_slot_keys", arrays.slot_keys);
  visit("ctr_slot_rows", arrays.slot_rows);
  visit("ctr_column_offsets", arrays.column_offsets);
  visit("ctr_value_offsets", arrays.value_offsets);
  visit("ctr_values", arrays.values);
  visit("ctr_defaults", arrays.defaults);
}

// Refers to the arrays, which must outlive it.
class Ctrs {
 public:
  Ctrs() = default;  // no derived columns
  // Checks everything; throws Error (invalid_format) that names the tensor.
  Ctrs(const CtrArrays& arrays, std::size_t n_features);

  [[nodiscard]] std::size_t size() const noexcept { return arrays_.defaults.size(); }
  // Rows of n_features cells, `stride` apart; out is n x size().
  void compute(const float* rows, std::size_t n, std::size_t stride, float* out) const noexcept;
  void compute(const double* rows, std::size_t n, std::size_t stride, float* out) const noexcept;

 private:
  template <class T>
  void compute_rows(const T* rows, std::size_t n, std::size_t stride, float* out) const noexcept;

  CtrArrays arrays_;
};

}  // namespace shortlist::trees
