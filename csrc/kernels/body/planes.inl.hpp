// Rows to columns, tile by tile. Included after a vec/transpose header.
#pragma once

namespace {

template <class S>
inline void copy_columns(const S* rows, std::size_t stride, std::size_t first, std::size_t n,
                         std::size_t n_columns, S* out) {
  for (std::size_t c = 0; c < n_columns; ++c) {
    S* const column = out + c * shortlist::kPlaneRows;
    for (std::size_t r = first; r < n; ++r) column[r] = rows[r * stride + c];
  }
}

template <class S>
inline void repeat_last_row(std::size_t n, std::size_t n_columns, S* out) {
  for (std::size_t c = 0; c < n_columns; ++c) {
    S* const column = out + c * shortlist::kPlaneRows;
    for (std::size_t r = n; r < shortlist::kPlaneRows; ++r) column[r] = column[n - 1];
  }
}

void float_columns(const float* rows, std::size_t stride, std::size_t n, std::size_t n_columns,
                   float* out) noexcept {
  const std::size_t tiled = n / kTileRows * kTileRows;
  for (std::size_t c = 0; c < n_columns; c += kTileColumns) {
    const std::size_t width = n_columns - c < kTileColumns ? n_columns - c : kTileColumns;
    if (width <= kTileColumns / 4) {  // shuffles would cost more than they save
      copy_columns(rows + c, stride, 0, tiled, width, out + c * shortlist::kPlaneRows);
      continue;
    }
    for (std::size_t r = 0; r < tiled; r += kTileRows)
      transpose_tile(rows + r * stride + c, stride, width, out + c * shortlist::kPlaneRows + r,
                     shortlist::kPlaneRows);
  }
  copy_columns(rows, stride, tiled, n, n_columns, out);
  repeat_last_row(n, n_columns, out);
}

void double_columns(const double* rows, std::size_t stride, std::size_t n, std::size_t n_columns,
                    double* out) noexcept {
  for (std::size_t r = 0; r < n; ++r) {
    for (std::size_t c = 0; c < n_columns; ++c) out[c * shortlist::kPlaneRows + r] = rows[r * stride + c];
  }
  repeat_last_row(n, n_columns, out);
}

void transpose16(const std::uint16_t* values, std::size_t n_planes, std::byte* planes,
                 std::size_t stride) noexcept {
  transpose_bits(values, n_planes, planes, stride);
}

}  // namespace
