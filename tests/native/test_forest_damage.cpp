// Compiled forests of real models, damaged at random: refused, or walked within bounds.
//
// SHORTLIST_FUZZ_ROUNDS and SHORTLIST_FUZZ_SEED run more of it: see tools/fuzz, which does the same from
// Python.
#include <array>
#include <cstdlib>
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
#include "trees/forest.hpp"

using shortlist::AlignedBuffer;
using shortlist::Directory;
using shortlist::Error;
using shortlist::TensorFile;
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
constexpr std::size_t kRows = 19;

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
    value = static_cast<T>(value + static_cast<T>(random() % 2 == 0 ? 1 : -1));
  } else {
    value = interesting<T>(random);
  }
}

ForestArrays damaged(const ForestArrays& good, Kept& kept, Random& random) {
  ForestArrays arrays = good;
  std::size_t n = 0;
  for_each_tensor(arrays, [&](const char*, const auto&) { ++n; });
  for (std::size_t times = 1 + random() % 3; times > 0; --times) {
    std::size_t chosen = random() % n;
    for_each_tensor(arrays, [&]<class T>(const char*, std::span<const T>& values) {
      if (chosen-- != 0) return;
      std::vector<T> changed(values.begin(), values.end());
      damage(changed, random);
      values = keep(changed, kept);
    });
  }
  return arrays;
}

template <class T>
std::vector<T> rows_of(const Forest& forest, const ForestArrays& arrays, Random& random) {
  std::vector<T> rows(kRows * forest.n_features());
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

template <class Rows>
void score(const Forest& forest, const Rows& rows) {
  AlignedBuffer<std::byte> scratch(forest.scratch_bytes(kRows));
  std::vector<double> wide(kRows * forest.n_outputs());
  forest.predict(rows, kRows, forest.default_rounds(), false, wide.data(), scratch.data());
  std::vector<float> narrow(kRows * forest.n_outputs());
  forest.predict(rows, kRows, {forest.n_rounds() - 1, forest.n_rounds()}, true, narrow.data(),
                 scratch.data());
  std::vector<std::uint32_t> leaves(kRows * forest.n_trees());
  forest.leaf_indices(rows, kRows, {0, forest.n_rounds()}, leaves.data(), scratch.data());
}

template <class T>
void score_every_way(const Forest& forest, const ForestArrays& arrays, Random& random) {
  const std::vector<T> dense = rows_of<T>(forest, arrays, random);
  score(forest, DenseRows<T>{dense.data(), forest.n_features()});
  if (forest.derives_features()) return;
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> features;
  std::vector<T> numbers;
  for (std::size_t i = 0; i < kRows; ++i) {
    for (std::size_t f = 0; f < forest.n_features(); ++f) {
      if (random() % 2 == 0) continue;
      features.push_back(static_cast<std::int32_t>(f));
      numbers.push_back(dense[i * forest.n_features() + f]);
    }
    offsets.push_back(static_cast<std::int64_t>(features.size()));
  }
  score(forest,
        SparseRows<T>{offsets.data(), features.data(), numbers.data(), static_cast<T>(forest.absent())});
}

ForestArrays arrays_of(const TensorFile& file) {
  ForestArrays arrays;
  for_each_tensor(arrays, [&]<class T>(const char* name, std::span<const T>& values) {
    values = file.get<T>(name, {TensorFile::kAny});
  });
  return arrays;
}

}  // namespace

TEST_CASE(damaged_forests_of_every_library_are_refused_or_walked_within_bounds) {
  const std::uint64_t rounds = setting("SHORTLIST_FUZZ_ROUNDS", 1500);
  Random random(setting("SHORTLIST_FUZZ_SEED", 17));
  const Directory directory(SHORTLIST_FIXTURES "/fuzz/compiled");
  for (const char* model : kModels) {
    const TensorFile file = TensorFile::open(directory, std::string(model) + ".safetensors");
    const ForestArrays good = arrays_of(file);
    score_every_way<double>(Forest(good), good, random);
    std::uint64_t refused = 0;
    for (std::uint64_t round = 0; round < rounds; ++round) {
      Kept kept;
      const ForestArrays arrays = damaged(good, kept, random);
      try {
        const Forest forest(arrays);
        if (forest.n_features() > kMaxFeatures) continue;
        score_every_way<float>(forest, arrays, random);
        score_every_way<double>(forest, arrays, random);
      } catch (const Error&) {
        ++refused;
      }
    }
    CHECK(refused > rounds / 5 && refused < rounds);
  }
}
