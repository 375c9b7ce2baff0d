#include "trees/ctr.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/error.hpp"
#include "trees/city_hash.hpp"

namespace shortlist::trees {
namespace {

[[noreturn]] void reject(const std::string& why) {
  throw Error(ErrorCode::invalid_format, "the compiled model: ctr_" + why);
}

void check_size(const char* name, std::size_t size, std::size_t expected) {
  if (size != expected) {
    reject(std::string(name) + " has " + std::to_string(size) + " elements, expected " +
           std::to_string(expected));
  }
}

template <class T>
void check_offsets(const char* name, std::span<const T> offsets, std::size_t count, std::size_t size) {
  check_size(name, offsets.size(), count + 1);
  if (offsets.front() != 0 || offsets.back() != size || !std::is_sorted(offsets.begin(), offsets.end())) {
    reject(std::string(name) + " do not ascend from 0 to " + std::to_string(size));
  }
}

void check_elements(const CtrArrays& arrays, std::size_t n_features) {
  const std::size_t n = arrays.element_kinds.size();
  check_size("element_features", arrays.element_features.size(), n);
  check_size("element_borders", arrays.element_borders.size(), n);
  check_size("element_hashes", arrays.element_hashes.size(), n);
  for (const std::uint8_t kind : arrays.element_kinds) {
    if (kind >= kCtrElements) reject("element_kinds has " + std::to_string(kind) + ", expected 0 to 3");
  }
  for (const std::uint32_t feature : arrays.element_features) {
    if (feature >= n_features) {
      reject("element_features has " + std::to_string(feature) + " of " + std::to_string(n_features) +
             " features");
    }
  }
}

void check_projection(const CtrArrays& arrays, std::size_t p) {
  const std::string name = " of projection " + std::to_string(p);
  const std::uint64_t first = arrays.slot_offsets[p];
  const std::uint64_t last = arrays.slot_offsets[p + 1];
  const std::uint8_t shift = arrays.shifts[p];
  if (shift < 1 || shift > 63) reject("shifts" + name + ": " + std::to_string(shift) + ", expected 1 to 63");
  // A search begins below the last slot, or at it, and ends there at the latest.
  if (last - first < (std::uint64_t{1} << (64 - shift)) || arrays.slot_keys[last - 1] != kEmptySlot) {
    reject("slot_keys" + name + ": fewer slots than the shift needs, or no empty slot at the end");
  }
  const std::uint64_t n_columns = arrays.column_offsets[p + 1] - arrays.column_offsets[p];
  const std::uint64_t n_values = arrays.value_offsets[p + 1] - arrays.value_offsets[p];
  if (n_columns == 0 || n_values % n_columns != 0) {
    reject("values" + name + ": " + std::to_string(n_values) + ", expected a multiple of its " +
           std::to_string(n_columns) + " columns, at least 1");
  }
  for (std::uint64_t slot = first; slot < last; ++slot) {
    if (arrays.slot_keys[slot] != kEmptySlot && arrays.slot_rows[slot] >= n_values / n_columns) {
      reject("slot_rows" + name + ": row " + std::to_string(arrays.slot_rows[slot]) + " of " +
             std::to_string(n_values / n_columns));
    }
  }
}

// As CatBoost joins the parts of a projection.
std::uint64_t join(std::uint64_t key, std::uint64_t part) noexcept {
  constexpr std::uint64_t kMultiplier = 0x4906ba494954cb65ULL;
  return kMultiplier * (key + kMultiplier * part);
}

// Beyond the greatest float a double rounds to infinity, as the conversion of NumPy does.
float as_float(float x) noexcept { return x; }
float as_float(double x) noexcept { return static_cast<float>(x); }

}  // namespace

Ctrs::Ctrs(const CtrArrays& arrays, std::size_t n_features) : arrays_(arrays) {
  const std::size_t n = arrays.shifts.size();
  check_offsets("element_offsets", arrays.element_offsets, n, arrays.element_kinds.size());
  check_elements(arrays, n_features);
  check_offsets("slot_offsets", arrays.slot_offsets, n, arrays.slot_keys.size());
  check_size("slot_rows", arrays.slot_rows.size(), arrays.slot_keys.size());
  check_offsets("column_offsets", arrays.column_offsets, n, arrays.defaults.size());
  check_offsets("value_offsets", arrays.value_offsets, n, arrays.values.size());
  for (std::size_t p = 0; p < n; ++p) check_projection(arrays, p);
}

template <class T>
void Ctrs::compute_rows(const T* rows, std::size_t n, std::size_t stride, float* out) const noexcept {
  const CtrArrays& a = arrays_;
  for (std::size_t i = 0; i < n; ++i, rows += stride, out += size()) {
    for (std::size_t p = 0; p < a.shifts.size(); ++p) {
      std::uint64_t key = 0;
      bool known = true;
      for (std::size_t e = a.element_offsets[p]; e < a.element_offsets[p + 1]; ++e) {
        const T x = rows[a.element_features[e]];
        std::uint64_t part = 0;
        switch (static_cast<CtrElement>(a.element_kinds[e])) {
          case CtrElement::category: {
            const std::int64_t hash = hash_of_cell(static_cast<double>(x));
            known = known && hash != kNoCategory;
            // Widened from a signed 32-bit number.
            part = static_cast<std::uint64_t>(std::int64_t{static_cast<std::int32_t>(hash)});
            break;
          }
          case CtrElement::greater:
            part = as_float(x) > a.element_borders[e];
            break;
          case CtrElement::greater_or_nan:
            part =
                (std::isnan(x) ? std::numeric_limits<float>::infinity() : as_float(x)) > a.element_borders[e];
            break;
          case CtrElement::equals:
            part = hash_of_cell(static_cast<double>(x)) == std::int64_t{a.element_hashes[e]};
            break;
        }
        key = join(key, part);
      }
      const std::size_t first = a.column_offsets[p];
      const std::size_t n_columns = a.column_offsets[p + 1] - first;
      const float* values = a.defaults.data() + first;
      if (known && key != kEmptySlot) {
        std::uint64_t slot = a.slot_offsets[p] + (key >> a.shifts[p]);
        while (a.slot_keys[slot] != kEmptySlot && a.slot_keys[slot] != key) ++slot;
        if (a.slot_keys[slot] == key)
          values = a.values.data() + a.value_offsets[p] + a.slot_rows[slot] * n_columns;
      }
      std::copy_n(values, n_columns, out + first);
    }
  }
}

void Ctrs::compute(const float* rows, std::size_t n, std::size_t stride, float* out) const noexcept {
  compute_rows(rows, n, stride, out);
}

void Ctrs::compute(const double* rows, std::size_t n, std::size_t stride, float* out) const noexcept {
  compute_rows(rows, n, stride, out);
}

}  // namespace shortlist::trees
