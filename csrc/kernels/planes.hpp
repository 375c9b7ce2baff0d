// Numbers to bit planes: plane j of a column holds bit j of every row's rank, the number of the column's
// thresholds below the row's number.
#pragma once

#include <cstddef>
#include <cstdint>

namespace shortlist {

// Rows that one call handles. Row r is bit r % 8 of byte r / 8 of each of its planes' 16 bytes.
inline constexpr std::size_t kPlaneRows = 128;
inline constexpr std::size_t kPlaneColumns = 16;
inline constexpr std::uint32_t kTreeLevels = 8;  // of the search that RankTables::tree has

// The thresholds of a column, S float or double. Padded with +inf, which nothing exceeds, they are
// 2^n_levels - 1, and a rank is n_levels binary decisions, its highest bit first.
template <class S>
struct RankTables {
  const S* sorted;  // ascending
  // The thresholds of the first min(n_levels, kTreeLevels) levels, level l at tree_offset(l). Bit m of a
  // threshold's place within its level tells how level m decided on the way there. Aligned to 64 bytes.
  const S* tree;
  std::uint32_t n_levels;  // at most 16
};

// A level takes at least 16 places: a whole register.
[[nodiscard]] constexpr std::size_t tree_offset(std::uint32_t level) noexcept {
  return level <= 4 ? std::size_t{16} * level : (std::size_t{1} << level) + 48;
}

// Where planes go: plane j at planes + j * stride, two masks where they are not null.
struct PlaneOutput {
  std::byte* planes;
  std::size_t stride;  // bytes, a multiple of 16
  std::byte* nan;      // x != x
  std::byte* zero;     // x != x or |x| <= 1e-35f
};

struct PlaneKernels {
  // out[c * kPlaneRows + r] = rows[min(r, n - 1) * stride + c] for c < n_columns, which is at most
  // kPlaneColumns; 1 <= n <= kPlaneRows. `out` is aligned to 64 bytes.
  void (*columns32)(const float* rows, std::size_t stride, std::size_t n, std::size_t n_columns,
                    float* out) noexcept;
  void (*columns64)(const double* rows, std::size_t stride, std::size_t n, std::size_t n_columns,
                    double* out) noexcept;
  // n_levels planes of the ranks of kPlaneRows numbers, which are aligned to 64 bytes; the rank of NaN is 0.
  void (*rank32)(const float* numbers, const RankTables<float>& tables, const PlaneOutput& out) noexcept;
  void (*rank64)(const double* numbers, const RankTables<double>& tables, const PlaneOutput& out) noexcept;
  // n_planes planes, at most 16, of kPlaneRows values as they are; `values` is aligned to 64 bytes.
  void (*transpose16)(const std::uint16_t* values, std::size_t n_planes, std::byte* planes,
                      std::size_t stride) noexcept;
};

}  // namespace shortlist
