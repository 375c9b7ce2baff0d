// Compiled forests of real models, damaged at random, their bit-sliced form too: refused, or scored within
// bounds by every kernel.
//
// SHORTLIST_FUZZ_ROUNDS and SHORTLIST_FUZZ_SEED run more of it: see tools/fuzz, which does the same from
// Python.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "base/error.hpp"
#include "base/mapped_file.hpp"
#include "bundle/safetensors.hpp"
#include "check.hpp"
#include "environment.hpp"
#include "random_forest.hpp"
#include "trees/bitslice/compile.hpp"
#include "trees/forest.hpp"

using shortlist::AlignedBuffer;
using shortlist::Directory;
using shortlist::Error;
using shortlist::LogicInstruction;
using shortlist::TensorFile;
using shortlist::trees::BitsliceArrays;
using shortlist::trees::BitsliceVectors;
using shortlist::trees::DenseRows;
using shortlist::trees::Forest;
using shortlist::trees::ForestArrays;
using shortlist::trees::SparseRows;

namespace {

using Random = std::mt19937_64;
using Kept = std::vector<std::shared_ptr<void>>;  // what the spans of ForestArrays refer to

constexpr std::array<const char*, 10> kModels{
    "catboost-cbm-ctrs",    "catboost-cbm-numbers", "lightgbm-text-categories", "lightgbm-text-classes",
    "lightgbm-text-linear", "onnx-classifier",      "sklearn-histogram",        "xgboost-ubj-categories",
    "xgboost-ubj-linear",   "xgboost-ubj-vectors",
};
constexpr std::size_t kMaxFeatures = 1000;  // who loads a forest holds the names against the number
constexpr std::size_t kFewRows = 19, kManyRows = 300;  // of one narrow block, and of a wide one
struct Kernel {
  const char* name;
  const char* jit;
};
constexpr std::array<Kernel, 4> kKernels{
    {{"walk", nullptr}, {"lookup", nullptr}, {"bitslice", "1"}, {"bitslice", "0"}}};

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

template <class T>
T interesting(Random& random) {
  if constexpr (std::is_floating_point_v<T>) {
    constexpr T kInf = std::numeric_limits<T>::infinity();
    constexpr std::array<T, 9> kNumbers{
        T(0), T(-0.0), T(1), T(-1e30), kInf, -kInf, T(1e30), T(2), std::numeric_limits<T>::quiet_NaN()};
    return kNumbers[random() % kNumbers.size()];
  } else if constexpr (std::is_same_v<T, LogicInstruction>) {
    const auto byte = [&] { return static_cast<std::uint8_t>(interesting<std::uint32_t>(random)); };
    return {static_cast<shortlist::LogicOp>(random() % 5), byte(), byte(), byte(),
            interesting<std::uint32_t>(random)};
  } else {
    constexpr std::array<std::uint64_t, 16> kNumbers{
        0,     1,     2,       3,       31,          32,          33,          255,
        65534, 65535, 1 << 16, 1 << 24, 0x7fffffffu, 0x80000000u, 0xffffffffu, ~std::uint64_t{0}};
    return static_cast<T>(kNumbers[random() % kNumbers.size()] + random() % 3 - 1);
  }
}

// Copies into a block of exactly that size, so that a sanitizer sees the first element beyond it.
template <class T>
std::span<const T> keep(const std::vector<T>& values, Kept& kept) {
  auto copy = std::make_shared<std::vector<T>>(values.begin(), values.end());
  kept.push_back(copy);
  return {copy->data(), copy->size()};
}

template <class T>
void damage(std::vector<T>& values, Random& random) {
  const std::uint64_t kind = random() % 12;
  if (values.empty() || kind == 0) {
    const std::size_t count = random() % 3 == 0 ? 20 : 1;
    values.insert(values.begin() + static_cast<std::ptrdiff_t>(random() % (values.size() + 1)), count,
                  interesting<T>(random));
    return;
  }
  T& value = values[random() % values.size()];
  if (kind == 1) {
    values.resize(random() % values.size());
  } else if (kind <= 4) {
    value = values[random() % values.size()];
  } else if (kind <= 7) {
    reinterpret_cast<unsigned char*>(&value)[random() % sizeof(T)] = static_cast<unsigned char>(random());
  } else if (kind <= 9) {
    const int step = random() % 2 == 0 ? 1 : -1;
    if constexpr (std::is_same_v<T, LogicInstruction>) {
      value.operand += static_cast<std::uint32_t>(step);
    } else {
      value = static_cast<T>(value + static_cast<T>(step));
    }
  } else {
    value = interesting<T>(random);
  }
}

struct Form {
  ForestArrays arrays;
  BitsliceArrays sliced;
};

template <class Form, class Visit>
void for_each_array(Form& form, const Visit& visit) {
  for_each_tensor(form.arrays, visit);
  for_each_bitslice_tensor(form.sliced, visit);
}

// first: how many arrays, in order, are left as they are.
Form damaged(const Form& good, Kept& kept, Random& random, std::size_t first = 0) {
  Form form = good;
  std::size_t n = 0;
  for_each_array(form, [&](const char*, const auto&) { ++n; });
  for (std::size_t times = 1 + random() % 3; times > 0; --times) {
    std::size_t chosen = first + random() % (n - first);
    for_each_array(form, [&]<class T>(const char*, std::span<const T>& values) {
      if (chosen-- != 0) return;
      std::vector<T> changed(values.begin(), values.end());
      damage(changed, random);
      values = keep(changed, kept);
    });
  }
  return form;
}

template <class T>
std::vector<T> rows_of(const Forest& forest, const ForestArrays& arrays, std::size_t n, Random& random) {
  std::vector<T> rows(n * forest.n_features());
  for (T& x : rows) {
    const std::uint64_t kind = random() % 8;
    if (kind < 3 && !arrays.thresholds.empty()) {
      x = static_cast<T>(arrays.thresholds[random() % arrays.thresholds.size()]);
    } else if (kind < 5 && !arrays.keys.empty()) {
      x = static_cast<T>(arrays.keys[random() % arrays.keys.size()]);
    } else {
      x = kind < 6 ? interesting<T>(random) : static_cast<T>(random() % 20) - T(5);
    }
  }
  return rows;
}

struct Results {
  std::vector<double> wide;
  std::vector<float> narrow;
  std::vector<std::uint32_t> leaves;
};

template <class Rows>
Results results(const Forest& forest, const Rows& rows, std::size_t n, std::byte before) {
  AlignedBuffer<std::byte> scratch(forest.scratch_bytes(n));
  std::fill_n(scratch.data(), scratch.size(), before);
  Results made{std::vector<double>(n * forest.n_outputs()), std::vector<float>(n * forest.n_outputs()),
               std::vector<std::uint32_t>(n * forest.n_trees())};
  forest.predict(rows, n, forest.default_rounds(), false, made.wide.data(), scratch.data());
  forest.predict(rows, n, {forest.n_rounds() - 1, forest.n_rounds()}, true, made.narrow.data(),
                 scratch.data());
  forest.leaf_indices(rows, n, {0, forest.n_rounds()}, made.leaves.data(), scratch.data());
  return made;
}

// What was in the scratch memory before must not matter.
template <class Rows>
void score(const Forest& forest, const Rows& rows, std::size_t n) {
  const auto same = [](const auto& a, const auto& b) {
    return std::memcmp(a.data(), b.data(), a.size() * sizeof a[0]) == 0;
  };
  const Results once = results(forest, rows, n, std::byte{0});
  const Results again = results(forest, rows, n, std::byte{0xff});
  CHECK(same(once.wide, again.wide) && same(once.narrow, again.narrow));
  CHECK(forest.n_trees() == 0 || same(once.leaves, again.leaves));
}

template <class T>
void score_every_way(const Forest& forest, const ForestArrays& arrays, Random& random) {
  const std::size_t n = random() % 16 == 0 ? kManyRows : kFewRows;
  const std::vector<T> dense = rows_of<T>(forest, arrays, n, random);
  score(forest, DenseRows<T>{dense.data(), forest.n_features()}, n);
  if (forest.derives_features()) return;
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> features;
  std::vector<T> numbers;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t f = 0; f < forest.n_features(); ++f) {
      if (random() % 2 == 0) continue;
      features.push_back(static_cast<std::int32_t>(f));
      numbers.push_back(dense[i * forest.n_features() + f]);
    }
    offsets.push_back(static_cast<std::int64_t>(features.size()));
  }
  score(forest,
        SparseRows<T>{offsets.data(), features.data(), numbers.data(), static_cast<T>(forest.absent())}, n);
}

ForestArrays arrays_of(const TensorFile& file) {
  ForestArrays arrays;
  for_each_tensor(arrays, [&]<class T>(const char* name, std::span<const T>& values) {
    values = file.get<T>(name, {TensorFile::kAny});
  });
  return arrays;
}

// Whether the form was accepted, which must not depend on the kernel.
bool accepted(const Form& form, std::uint64_t seed) {
  std::size_t n_accepted = 0;
  for (const Kernel& kernel : kKernels) {
    const Variable forced("SHORTLIST_TREE_KERNEL", kernel.name);
    const Variable switched("SHORTLIST_JIT", kernel.jit);
    try {
      const Forest forest(form.arrays, form.sliced);
      ++n_accepted;
      if (forest.n_features() > kMaxFeatures) continue;
      Random random(seed);
      score_every_way<float>(forest, form.arrays, random);
      score_every_way<double>(forest, form.arrays, random);
    } catch (const Error&) {
      continue;
    }
  }
  CHECK(n_accepted == 0 || n_accepted == kKernels.size());
  return n_accepted > 0;
}

}  // namespace

TEST_CASE(damaged_forests_of_every_library_are_refused_or_scored_within_bounds_by_every_kernel) {
  const std::uint64_t rounds = setting("SHORTLIST_FUZZ_ROUNDS", 1000);
  Random random(setting("SHORTLIST_FUZZ_SEED", 17));
  const Directory directory(SHORTLIST_FIXTURES "/fuzz/compiled");
  for (const char* model : kModels) {
    const TensorFile file = TensorFile::open(directory, std::string(model) + ".safetensors");
    const ForestArrays good = arrays_of(file);
    const BitsliceVectors sliced = compile_bitslice(good);
    const Form form{good, arrays_of(sliced)};
    CHECK(!sliced.predicate_offsets.empty() && accepted(form, random()));
    std::uint64_t refused = 0;
    for (std::uint64_t round = 0; round < rounds; ++round) {
      Kept kept;
      refused += accepted(damaged(form, kept, random), random()) ? 0 : 1;
    }
    CHECK(refused > rounds / 5 && refused < rounds);
  }
}

TEST_CASE(bit_sliced_forms_damaged_alone_are_refused_or_scored_within_bounds) {
  const std::uint64_t rounds = setting("SHORTLIST_FUZZ_ROUNDS", 1000);
  Random random(setting("SHORTLIST_FUZZ_SEED", 18));
  using enum shortlist::trees::ViewKind;
  for (const std::uint32_t flags : {0u, static_cast<std::uint32_t>(shortlist::trees::Flag::oblivious)}) {
    const RandomForest forest({.features = {{zero_right}, {none, nan_right}, {category}, {hashed}},
                               .n_leaves = {1, 4, 16},
                               .trees_of_segment = 4,
                               .n_segments = 2,
                               .n_outputs = 2,
                               .flags = flags},
                              21);
    const BitsliceVectors sliced = compile_bitslice(forest.arrays());
    const Form form{forest.arrays(), arrays_of(sliced)};
    std::size_t n_arrays = 0;
    for_each_tensor(form.arrays, [&](const char*, const auto&) { ++n_arrays; });
    std::uint64_t refused = 0;
    for (std::uint64_t round = 0; round < rounds; ++round) {
      Kept kept;
      refused += accepted(damaged(form, kept, random, n_arrays), random()) ? 0 : 1;
    }
    CHECK(refused > rounds / 5 && refused < rounds);
  }
}
