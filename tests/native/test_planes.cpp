// Bit planes of ranks on every instruction set: against the ranks that the walk of trees sees, view by view.
#include "trees/bitslice/planes.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "cpu/isa.hpp"
#include "guarded.hpp"
#include "kernels/logic.hpp"
#include "trees/city_hash.hpp"
#include "trees/quantise.hpp"

using namespace shortlist::trees;
using shortlist::available_isas;
using shortlist::Isa;
using shortlist::kernels_of;
using shortlist::KernelTable;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::size_t kWidths[] = {shortlist::kNarrowVectorBytes, shortlist::kWideVectorBytes};
constexpr ViewKind kNumericKinds[] = {ViewKind::none, ViewKind::nan_left, ViewKind::nan_right,
                                      ViewKind::zero_left, ViewKind::zero_right};

// Columns of one segment; what ranks do not depend on is left empty.
struct Model {
  explicit Model(std::uint32_t n_features, bool float32_input = false, double absent = 0.0)
      : header{kForestFormat, n_features, 1, 1, 0, 0, float32_input ? 2u : 0u, 0}, scales{1.0, 1.0, absent} {}

  void add(std::uint32_t feature, const std::vector<double>& numbers, const std::vector<ViewKind>& kinds) {
    add_views(feature, kinds);
    thresholds.insert(thresholds.end(), numbers.begin(), numbers.end());
    close();
  }
  void add_categories(std::uint32_t feature, const std::vector<double>& of_keys,
                      const std::vector<std::uint16_t>& of_codes, ViewKind kind) {
    add_views(feature, {kind});
    keys.insert(keys.end(), of_keys.begin(), of_keys.end());
    key_codes.insert(key_codes.end(), of_codes.begin(), of_codes.end());
    close();
  }
  [[nodiscard]] std::uint32_t n_features() const { return header[1]; }
  [[nodiscard]] double absent() const { return scales[2]; }
  [[nodiscard]] ForestArrays arrays() {
    segment_views = {0, static_cast<std::uint32_t>(view_columns.size())};
    ForestArrays arrays;
    arrays.header = header;
    arrays.scales = scales;
    arrays.column_features = column_features;
    arrays.thresholds = thresholds;
    arrays.threshold_offsets = threshold_offsets;
    arrays.keys = keys;
    arrays.key_offsets = key_offsets;
    arrays.key_codes = key_codes;
    arrays.view_columns = view_columns;
    arrays.view_kinds = view_kinds;
    arrays.segment_views = segment_views;
    return arrays;
  }

  std::vector<std::uint32_t> header;
  std::vector<double> scales;
  std::vector<std::uint32_t> column_features;
  std::vector<double> thresholds, keys;
  std::vector<std::uint32_t> threshold_offsets{0}, key_offsets{0};
  std::vector<std::uint16_t> key_codes;
  std::vector<std::uint32_t> view_columns, segment_views;
  std::vector<std::uint8_t> view_kinds;

 private:
  void add_views(std::uint32_t feature, const std::vector<ViewKind>& kinds) {
    for (const ViewKind kind : kinds) {
      view_columns.push_back(static_cast<std::uint32_t>(column_features.size()));
      view_kinds.push_back(static_cast<std::uint8_t>(kind));
    }
    column_features.push_back(feature);
  }
  void close() {
    threshold_offsets.push_back(static_cast<std::uint32_t>(thresholds.size()));
    key_offsets.push_back(static_cast<std::uint32_t>(keys.size()));
  }
};

bool bit_of(const std::byte* vectors, std::size_t vector_bytes, std::uint32_t plane, std::size_t row) {
  return (std::to_integer<unsigned>(vectors[plane * vector_bytes + row / 8]) >> (row % 8) & 1u) != 0;
}

// A view's rank of one row, from the planes of its column: as the trees' predicates read them.
std::uint16_t rank_in_view(const Model& model, std::size_t view, const ColumnPlanes& planes,
                           const std::byte* vectors, std::size_t vector_bytes, std::size_t row) {
  std::uint32_t rank = 0;
  for (std::uint32_t j = 0; j < planes.count; ++j)
    rank |= static_cast<std::uint32_t>(bit_of(vectors, vector_bytes, planes.first + j, row)) << j;
  const auto kind = static_cast<ViewKind>(model.view_kinds[view]);
  if (asks_for_set(kind)) return static_cast<std::uint16_t>(rank);
  const bool nan = bit_of(vectors, vector_bytes, planes.nan, row);
  const bool zero = kind >= ViewKind::zero_left && bit_of(vectors, vector_bytes, planes.zero, row);
  const std::size_t column = model.view_columns[view];
  switch (kind) {
    case ViewKind::none: {
      const auto first = model.thresholds.begin() + model.threshold_offsets[column];
      const auto last = model.thresholds.begin() + model.threshold_offsets[column + 1];
      return static_cast<std::uint16_t>(nan ? std::lower_bound(first, last, 0.0) - first : rank);
    }
    case ViewKind::nan_left:
      return static_cast<std::uint16_t>(nan ? 0 : rank);
    case ViewKind::nan_right:
      return static_cast<std::uint16_t>(nan ? kMissingRight : rank);
    case ViewKind::zero_left:
      return static_cast<std::uint16_t>(zero ? 0 : rank);
    default:
      return static_cast<std::uint16_t>(zero ? kMissingRight : rank);
  }
}

// Encodes the first n rows on every set and in a vector of every width, and compares every view's ranks.
// `rows` are dense with `derived` or sparse without.
template <class Rows, class... Derived>
void check_rows(Model& model, const Rows& rows, std::size_t n, const Derived&... derived) {
  const ForestArrays arrays = model.arrays();
  const Quantiser quantiser(arrays, 0);
  const std::size_t n_views = quantiser.n_views();
  std::vector<std::uint16_t> expected((n + kGroupRows - 1) / kGroupRows * n_views * kGroupRows);
  quantiser.ranks(rows, derived..., n, expected.data());
  for (const Isa isa : available_isas()) {
    const PlaneEncoder encoder(arrays, 0, kernels_of(isa).planes);
    for (const std::size_t vector_bytes : kWidths) {
      if (n > 8 * vector_bytes) continue;
      const Guarded<std::byte> vectors(encoder.n_vectors() * vector_bytes);
      encoder.encode(rows, derived..., n, vector_bytes, vectors.data());
      std::size_t wrong = 0;
      std::size_t first_wrong = 0;
      for (std::size_t i = 0; i < n * n_views; ++i) {
        const std::size_t row = i / n_views;
        const std::size_t view = i % n_views;
        const std::uint16_t rank =
            expected[(row / kGroupRows * n_views + view) * kGroupRows + row % kGroupRows];
        const ColumnPlanes planes = encoder.planes_of(model.view_columns[view]);
        if (rank_in_view(model, view, planes, vectors.data(), vector_bytes, row) == rank) continue;
        if (wrong++ == 0) first_wrong = i;
      }
      if (wrong == 0) continue;
      check::fail(__FILE__, __LINE__,
                  std::to_string(wrong) + " ranks are wrong on " + kernels_of(isa).isa +
                      ", the first of row " + std::to_string(first_wrong / n_views) + " in view " +
                      std::to_string(first_wrong % n_views));
    }
  }
}

// The features of a matrix as T, in memory that ends behind the last of them.
template <class T>
void check_dense(Model& model, const std::vector<double>& numbers, std::size_t n) {
  const Guarded<T> rows(n * model.n_features());
  for (std::size_t i = 0; i < rows.span().size(); ++i) rows[i] = static_cast<T>(numbers[i]);
  check_rows(model, DenseRows<T>{rows.data(), model.n_features()}, n, DenseRows<float>{nullptr, 0});
}

// The same numbers, those that are `absent` left out.
template <class T>
void check_sparse(Model& model, const std::vector<double>& numbers, std::size_t n) {
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> features;
  std::vector<T> listed;
  for (std::size_t row = 0; row < n; ++row) {
    for (std::uint32_t feature = 0; feature < model.n_features(); ++feature) {
      const auto number = static_cast<T>(numbers[row * model.n_features() + feature]);
      const bool is_absent =
          number == 0 ? model.absent() == 0.0 : number != number && std::isnan(model.absent());
      if (is_absent && (row + feature) % 3 != 0) continue;
      features.push_back(static_cast<std::int32_t>(feature));
      listed.push_back(number);
    }
    offsets.push_back(static_cast<std::int64_t>(features.size()));
  }
  check_rows(model,
             SparseRows<T>{offsets.data(), features.data(), listed.data(), static_cast<T>(model.absent())},
             n);
}

void check_every_kind_of_rows(Model& model, const std::vector<double>& numbers, std::size_t n) {
  check_dense<float>(model, numbers, n);
  check_dense<double>(model, numbers, n);
  check_sparse<float>(model, numbers, n);
  check_sparse<double>(model, numbers, n);
}

std::vector<double> random_thresholds(std::size_t n, std::mt19937& random) {
  std::normal_distribution<double> normal;
  std::vector<double> found;
  while (found.size() < n) {
    for (std::size_t i = found.size(); i < n; ++i)
      found.push_back(i % 4 == 0 ? std::round(normal(random) * 50.0) : normal(random));
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
  }
  return found;
}

// Numbers on which a rank can go wrong, and around the thresholds.
double tricky_number(const std::vector<double>& thresholds, std::mt19937& random) {
  static constexpr double kSpecial[] = {kNaN,   0.0,     -0.0,    kInfinity, -kInfinity,
                                        1e-35,  -1e-35,  1.1e-35, -1.1e-35,  5e-324,
                                        1e-40,  -1e-40,  1e300,   -1e300,    3.4028235677973366e38,
                                        1e-35f, -1e-35f, 0.5};
  std::uniform_int_distribution<int> choice(0, 9);
  const int chosen = choice(random);
  if (chosen < 3 || thresholds.empty())
    return kSpecial[std::uniform_int_distribution<std::size_t>(0, std::size(kSpecial) - 1)(random)];
  const double at = thresholds[std::uniform_int_distribution<std::size_t>(0, thresholds.size() - 1)(random)];
  const auto near = static_cast<float>(at);
  switch (chosen) {
    case 3:
      return std::nextafter(at, kInfinity);
    case 4:
      return std::nextafter(at, -kInfinity);
    case 5:
      return std::nextafterf(near, std::numeric_limits<float>::infinity());
    case 6:
      return std::nextafterf(near, -std::numeric_limits<float>::infinity());
    case 7:
      return near;
    case 8:
      return std::normal_distribution<double>()(random);
    default:
      return at;
  }
}

}  // namespace

TEST_CASE(ranks_are_those_of_the_walk_for_any_number_of_thresholds) {
  std::mt19937 random(1);
  for (const std::size_t n_thresholds :
       {0,   1,   2,   3,   4,   7,   8,   15,  16,   31,   32,   63,    64,
        100, 127, 128, 255, 256, 300, 511, 512, 1023, 1024, 5000, 40000, 65534}) {
    for (const bool float32_input : {false, true}) {
      Model model(3, float32_input, n_thresholds % 2 == 0 ? 0.0 : kNaN);
      std::vector<std::vector<double>> thresholds(3);
      for (std::uint32_t f = 0; f < 3; ++f) {
        thresholds[f] = random_thresholds(n_thresholds, random);
        model.add(f, thresholds[f], {std::begin(kNumericKinds), std::end(kNumericKinds)});
      }
      constexpr std::size_t kRows = 512;
      std::vector<double> numbers;
      for (std::size_t i = 0; i < kRows * 3; ++i) numbers.push_back(tricky_number(thresholds[i % 3], random));
      check_every_kind_of_rows(model, numbers, kRows);
      check_every_kind_of_rows(model, numbers, 100);
    }
  }
}

TEST_CASE(any_number_of_rows_fills_a_block) {
  std::mt19937 random(2);
  Model model(21);
  std::vector<std::vector<double>> thresholds(21);
  for (std::uint32_t f = 0; f < 21; ++f) {
    thresholds[f] = random_thresholds(f * 3, random);
    if (f != 4 && f != 18) model.add(f, thresholds[f], {kNumericKinds[f % 5]});
  }
  std::vector<double> numbers;
  for (std::size_t i = 0; i < 512 * 21; ++i) numbers.push_back(tricky_number(thresholds[i % 21], random));
  for (std::size_t n = 1; n <= 512; n += n < 140 ? 1 : 31) {
    check_dense<float>(model, numbers, n);
    check_dense<double>(model, numbers, n);
  }
  for (const std::size_t n : {1, 2, 127, 128, 129, 511, 512}) check_every_kind_of_rows(model, numbers, n);
}

TEST_CASE(thresholds_at_the_ends_of_the_numbers_are_exact) {
  const std::vector<double> ends{-kInfinity, -1e300,     -3.4028234663852886e38,
                                 -1e-35f,    -1e-35,     -1e-40,
                                 -5e-324,    0.0,        5e-324,
                                 1e-40,      1e-35,      1.0000000180025095e-35,
                                 1.0,        1.00000001, 3.4028234663852886e38,
                                 1e300,      kInfinity};
  std::mt19937 random(3);
  for (const bool float32_input : {false, true}) {
    Model model(1, float32_input);
    model.add(0, ends, {std::begin(kNumericKinds), std::end(kNumericKinds)});
    std::vector<double> numbers;
    for (std::size_t i = 0; i < 512; ++i) numbers.push_back(tricky_number(ends, random));
    check_every_kind_of_rows(model, numbers, 512);
  }
}

TEST_CASE(features_may_be_far_apart_or_have_several_columns) {
  std::mt19937 random(4);
  Model model(400, false, kNaN);
  std::vector<double> thresholds;
  for (const std::uint32_t feature : {0, 3, 8, 12, 13, 13, 13, 29, 30, 45, 200, 215, 216, 231, 399}) {
    thresholds = random_thresholds(20, random);
    model.add(feature, thresholds, {ViewKind::nan_left, ViewKind::nan_right, ViewKind::zero_right});
  }
  std::vector<double> numbers;
  for (std::size_t i = 0; i < 300 * 400; ++i)
    numbers.push_back(random() % 5 == 0 ? tricky_number(thresholds, random) : kNaN);
  check_every_kind_of_rows(model, numbers, 300);
}

TEST_CASE(codes_of_categories_are_those_of_the_walk) {
  std::mt19937 random(5);
  const std::vector<std::vector<double>> key_sets = {{},
                                                     {0},
                                                     {3, 7, 40},
                                                     {0, 1, 2, 3, 4, 5, 6, 7, 65535},
                                                     {5, 70000, 2147483647},
                                                     {-1, 0.5, 2},
                                                     {-0.0, 1, 16777215},
                                                     {0.25, 1.5},
                                                     {1024, 2000, 4294967295.0}};
  std::vector<double> hashes;
  for (int i = -3; i < 40; ++i) hashes.push_back(static_cast<double>(hash_of_text(std::to_string(i * 30))));
  std::sort(hashes.begin(), hashes.end());
  for (const bool float32_input : {false, true}) {
    for (const double absent : {0.0, kNaN}) {
      Model model(1 + 4 * static_cast<std::uint32_t>(key_sets.size()), float32_input, absent);
      std::vector<double> all_keys;
      std::uint32_t feature = 0;
      const auto add = [&](const std::vector<double>& keys, ViewKind kind) {
        std::vector<std::uint16_t> codes;
        for (std::size_t i = 0; i < keys.size(); ++i) codes.push_back(static_cast<std::uint16_t>(i % 5 * 3));
        model.add_categories(feature++, keys, codes, kind);
        all_keys.insert(all_keys.end(), keys.begin(), keys.end());
      };
      for (const std::vector<double>& keys : key_sets) {
        for (const ViewKind kind :
             {ViewKind::category, ViewKind::category_24, ViewKind::value, ViewKind::hashed})
          add(keys, kind);
      }
      add(hashes, ViewKind::hashed);
      const std::size_t n_keys = all_keys.size();
      for (std::size_t i = 0; i < n_keys; ++i) {
        all_keys.push_back(all_keys[i] + 0.5);
        all_keys.push_back(0x1p53 + 2.0 * all_keys[i]);  // a category by its hash
      }
      for (int i = -90; i < 1300; i += 30) all_keys.push_back(i);
      all_keys.insert(all_keys.end(), {-0.5, -0.99999999, 2147483648.0, 16777216.0, 4294967296.0, 1e18});
      std::vector<double> numbers;
      for (std::size_t i = 0; i < 512 * model.n_features(); ++i)
        numbers.push_back(tricky_number(all_keys, random));
      check_every_kind_of_rows(model, numbers, 512);
      check_every_kind_of_rows(model, numbers, 77);
    }
  }
}

TEST_CASE(as_many_codes_as_there_may_be_take_sixteen_planes) {
  Model model(1);
  std::vector<double> keys;
  std::vector<std::uint16_t> codes;
  for (std::size_t i = 0; i < kMaxCodes; ++i) {
    keys.push_back(static_cast<double>(i));
    codes.push_back(static_cast<std::uint16_t>(i));
  }
  model.add_categories(0, keys, codes, ViewKind::category);
  CHECK_EQ(PlaneEncoder(model.arrays(), 0).planes_of(0).count, 16u);
  std::vector<double> numbers;
  for (std::size_t i = 0; i < 512; ++i) numbers.push_back(static_cast<double>(i * 128 + i / 2) - 1.0);
  numbers[5] = kNaN;
  check_every_kind_of_rows(model, numbers, 512);
}

TEST_CASE(derived_features_are_read_from_their_own_rows) {
  std::mt19937 random(6);
  for (const bool float32_input : {false, true}) {
    Model model(5, float32_input);
    const std::vector<double> thresholds = random_thresholds(50, random);
    for (std::uint32_t f = 0; f < 5; ++f) model.add(f, thresholds, {ViewKind::nan_left});
    for (std::uint32_t f = 5; f < 9; ++f)
      model.add(f, thresholds, {ViewKind::nan_right, ViewKind::zero_left});
    const Guarded<double> rows(200 * 5);
    const Guarded<float> derived(200 * 4);
    for (double& number : rows.span()) number = tricky_number(thresholds, random);
    for (float& number : derived.span()) number = static_cast<float>(tricky_number(thresholds, random));
    check_rows(model, DenseRows<double>{rows.data(), 5}, 200, DenseRows<float>{derived.data(), 4});
  }
}

TEST_CASE(a_column_has_only_the_planes_that_its_views_ask_for) {
  Model model(3);
  model.add(0, {1, 2, 3}, {ViewKind::nan_left});
  model.add(1, {1, 2, 3, 4}, {ViewKind::nan_left, ViewKind::zero_left, ViewKind::zero_right});
  model.add_categories(2, {1, 2}, {0, 1}, ViewKind::category);
  const PlaneEncoder encoder(model.arrays(), 0);
  CHECK_EQ(encoder.n_vectors(), 2u + 1u + 3u + 2u + 2u);
  CHECK_EQ(encoder.planes_of(0).count, 2u);
  CHECK_EQ(encoder.planes_of(0).zero, kNoPlane);
  CHECK_EQ(encoder.planes_of(1).count, 3u);
  CHECK(encoder.planes_of(1).zero != kNoPlane);
  CHECK_EQ(encoder.planes_of(2).count, 2u);
  CHECK_EQ(encoder.planes_of(2).nan, kNoPlane);
  CHECK_EQ(encoder.planes_of(7).count, 0u);
}

TEST_CASE(bits_behind_the_rows_do_not_depend_on_what_was_there) {
  Model model(1);
  model.add(0, {1, 2, 3}, {ViewKind::zero_left});
  const float number = 2.5f;
  for (const Isa isa : available_isas()) {
    const PlaneEncoder encoder(model.arrays(), 0, kernels_of(isa).planes);
    for (const std::size_t vector_bytes : kWidths) {
      std::vector<shortlist::AlignedBuffer<std::byte>> blocks;
      for (const int before : {0, 0xff}) {
        shortlist::AlignedBuffer<std::byte>& block = blocks.emplace_back(encoder.n_vectors() * vector_bytes);
        std::fill_n(block.data(), block.size(), static_cast<std::byte>(before));
        encoder.encode(DenseRows<float>{&number, 1}, DenseRows<float>{nullptr, 0}, 1, vector_bytes,
                       block.data());
      }
      CHECK(std::equal(blocks[0].data(), blocks[0].data() + blocks[0].size(), blocks[1].data()));
    }
  }
}
