// Every instruction set's kernels: against sums in double, bit for bit against each other, and within their
// arrays.
#include "kernels/kernels.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "cpu/isa.hpp"
#include "guarded.hpp"

using shortlist::available_isas;
using shortlist::Isa;
using shortlist::kernels_of;
using shortlist::KernelTable;

namespace {

constexpr std::size_t kDims[] = {0, 1, 7, 8, 15, 16, 17, 31, 64, 129};
constexpr std::size_t kRows = 11;  // a multiple of four and a rest

void fill_random(std::span<float> values, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  for (float& value : values) value = normal(random);
}

struct Sum {
  double value;
  double magnitude;  // the same sum of absolute terms
};

template <class Term>
Sum reference(std::span<const float> query, const float* row, Term term) {
  Sum sum{0.0, 0.0};
  for (std::size_t j = 0; j < query.size(); ++j) {
    const double product = term(static_cast<double>(query[j]), static_cast<double>(row[j]));
    sum.value += product;
    sum.magnitude += std::abs(product);
  }
  return sum;
}

bool close(float got, const Sum& expected, std::size_t dim) {
  // Each term is rounded at most three times before it enters a lane, each lane adds dim / 16 of them, four
  // folds follow.
  const double roundings = static_cast<double>(dim / 16 + 8);
  const double bound = roundings * std::numeric_limits<float>::epsilon() * expected.magnitude;
  return std::abs(static_cast<double>(got) - expected.value) <= bound;
}

// One metric of every row, on arrays that end where memory does.
std::vector<float> measure(decltype(KernelTable::dot_rows) metric, const Guarded<float>& query,
                           const Guarded<float>& rows, std::size_t n_rows) {
  const Guarded<float> out(n_rows);
  metric(query.data(), rows.data(), n_rows, query.span().size(), out.data());
  return {out.span().begin(), out.span().end()};
}

std::vector<std::uint32_t> bits(const std::vector<float>& values) {
  std::vector<std::uint32_t> found;
  for (const float value : values) found.push_back(std::bit_cast<std::uint32_t>(value));
  return found;
}

std::vector<std::uint32_t> selected(const KernelTable& table, const Guarded<float>& scores, float floor) {
  const std::size_t n = scores.span().size();
  const Guarded<std::uint32_t> out(n);
  const std::size_t found = table.select_at_least(scores.data(), n, floor, out.data());
  CHECK(found <= n);
  return {out.data(), out.data() + found};
}

std::vector<std::uint32_t> selected_one_by_one(const Guarded<float>& scores, float floor) {
  std::vector<std::uint32_t> found;
  for (std::uint32_t i = 0; i < scores.span().size(); ++i) {
    if (scores[i] >= floor) found.push_back(i);
  }
  return found;
}

}  // namespace

TEST_CASE(each_table_carries_the_name_of_its_set) {
  for (const Isa isa : available_isas()) {
    CHECK_EQ(std::string(kernels_of(isa).isa), std::string(shortlist::isa_name(isa)));
  }
}

TEST_CASE(metrics_agree_with_sums_in_double_on_every_set) {
  for (const Isa isa : available_isas()) {
    for (const std::size_t dim : kDims) {
      const Guarded<float> query(dim);
      const Guarded<float> rows(kRows * dim);
      fill_random(query.span(), 1);
      fill_random(rows.span(), 2);
      const std::vector<float> dots = measure(kernels_of(isa).dot_rows, query, rows, kRows);
      const std::vector<float> distances = measure(kernels_of(isa).l2sq_rows, query, rows, kRows);
      for (std::size_t i = 0; i < kRows; ++i) {
        const float* const row = rows.data() + i * dim;
        const auto product = [](double a, double b) { return a * b; };
        const auto square = [](double a, double b) { return (a - b) * (a - b); };
        CHECK(close(dots[i], reference(query.span(), row, product), dim));
        CHECK(close(distances[i], reference(query.span(), row, square), dim));
      }
    }
  }
}

TEST_CASE(metrics_are_bit_equal_on_every_set) {
  for (const std::size_t dim : kDims) {
    for (const std::size_t n_rows : {0, 1, 3, 4, 5, 11}) {
      const Guarded<float> query(dim);
      const Guarded<float> rows(n_rows * dim);
      fill_random(query.span(), 3);
      fill_random(rows.span(), 4);
      const auto dots = bits(measure(shortlist::kPortableKernels.dot_rows, query, rows, n_rows));
      const auto distances = bits(measure(shortlist::kPortableKernels.l2sq_rows, query, rows, n_rows));
      for (const Isa isa : available_isas()) {
        CHECK(bits(measure(kernels_of(isa).dot_rows, query, rows, n_rows)) == dots);
        CHECK(bits(measure(kernels_of(isa).l2sq_rows, query, rows, n_rows)) == distances);
      }
    }
  }
}

TEST_CASE(a_row_s_metric_does_not_depend_on_its_neighbours) {
  for (const Isa isa : available_isas()) {
    for (const std::size_t dim : kDims) {
      const Guarded<float> query(dim);
      const Guarded<float> rows(kRows * dim);
      const Guarded<float> row(dim);
      fill_random(query.span(), 5);
      fill_random(rows.span(), 6);
      const auto together = bits(measure(kernels_of(isa).dot_rows, query, rows, kRows));
      for (std::size_t i = 0; i < kRows; ++i) {
        for (std::size_t j = 0; j < dim; ++j) row[j] = rows[i * dim + j];
        CHECK_EQ(bits(measure(kernels_of(isa).dot_rows, query, row, 1))[0], together[i]);
      }
    }
  }
}

TEST_CASE(select_at_least_finds_what_a_plain_loop_finds) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const std::size_t n : {0, 1, 7, 15, 16, 17, 31, 32, 33, 1000, 1003}) {
    const Guarded<float> scores(n);
    fill_random(scores.span(), static_cast<std::uint32_t>(n));
    for (std::size_t i = 0; i < n; i += 5) scores[i] = kNaN;
    for (std::size_t i = 1; i < n; i += 7) scores[i] = 0.25f;
    for (std::size_t i = 2; i < n; i += 11) scores[i] = -kInfinity;
    for (const float floor : {-kInfinity, -1.0f, -0.0f, 0.25f, 3.0f, kInfinity, kNaN}) {
      const std::vector<std::uint32_t> expected = selected_one_by_one(scores, floor);
      for (const Isa isa : available_isas()) CHECK(selected(kernels_of(isa), scores, floor) == expected);
    }
  }
}

TEST_CASE(select_at_least_passes_no_nan_even_at_the_lowest_floor) {
  const Guarded<float> scores(37);
  for (float& score : scores.span()) score = std::numeric_limits<float>::quiet_NaN();
  for (const Isa isa : available_isas()) {
    CHECK_EQ(selected(kernels_of(isa), scores, -std::numeric_limits<float>::infinity()).size(), 0u);
  }
}
