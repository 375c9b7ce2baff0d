// Exact float32 metrics of one query against consecutive rows, in the fixed order kernels.hpp states.
// Included once per instruction set, after its vec/ header.
#pragma once

namespace {

struct Dot {
  static F16x term(F16x a, F16x b) { return mul(a, b); }
};
struct SquaredDifference {
  static F16x term(F16x a, F16x b) {
    const F16x difference = sub(a, b);
    return mul(difference, difference);
  }
};

// A scan reads rows once and in order, faster than the processor's own prefetching follows: this far ahead.
// The address may lie beyond the rows, where a prefetch does nothing.
inline void prefetch_ahead(const float* row) {
  constexpr std::uintptr_t kAheadBytes = 12288;
  __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(row) + kAheadBytes));
}

// Kept in four independent sums so that the latency of the additions overlaps.
template <class Metric>
void four_rows(const float* query, const float* rows, std::size_t dim, float* out) noexcept {
  F16x sums[4] = {zero(), zero(), zero(), zero()};
  std::size_t j = 0;
  for (; j + 16 <= dim; j += 16) {
    const F16x q = load(query + j);
    for (std::size_t r = 0; r < 4; ++r) {
      prefetch_ahead(rows + r * dim + j);
      sums[r] = add(sums[r], Metric::term(q, load(rows + r * dim + j)));
    }
  }
  if (j < dim) {
    const F16x q = load_first(query + j, dim - j);
    for (std::size_t r = 0; r < 4; ++r) {
      sums[r] = add(sums[r], Metric::term(q, load_first(rows + r * dim + j, dim - j)));
    }
  }
  for (std::size_t r = 0; r < 4; ++r) out[r] = fold(sums[r]);
}

template <class Metric>
float one_row(const float* query, const float* row, std::size_t dim) noexcept {
  F16x sum = zero();
  std::size_t j = 0;
  for (; j + 16 <= dim; j += 16) sum = add(sum, Metric::term(load(query + j), load(row + j)));
  if (j < dim) sum = add(sum, Metric::term(load_first(query + j, dim - j), load_first(row + j, dim - j)));
  return fold(sum);
}

template <class Metric>
void metric_rows(const float* query, const float* rows, std::size_t n_rows, std::size_t dim,
                 float* out) noexcept {
  std::size_t i = 0;
  for (; i + 4 <= n_rows; i += 4) four_rows<Metric>(query, rows + i * dim, dim, out + i);
  for (; i < n_rows; ++i) out[i] = one_row<Metric>(query, rows + i * dim, dim);
}

}  // namespace
