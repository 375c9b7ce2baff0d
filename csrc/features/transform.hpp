// Whole columns through the encoders and assembly that serve requests: what training sees is what serving
// computes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "features/feature_set.hpp"

namespace shortlist::features {

// One attribute of many rows, borrowed: numbers (NaN where missing), texts, or missing throughout.
class Column {
 public:
  Column() = default;
  explicit Column(std::span<const double> numbers) noexcept : kind_(Kind::numbers), numbers_(numbers) {}
  // Text i is bytes [offsets[i], offsets[i + 1]); missing[i] is not 0 where there is none.
  // Throws Error where the sizes do not fit together or an offset leaves `bytes`.
  Column(std::string_view bytes, std::span<const std::int64_t> offsets,
         std::span<const std::uint8_t> missing);

  [[nodiscard]] bool is_text() const noexcept { return kind_ == Kind::texts; }
  // Does it have `n` rows? One that is missing throughout has any number.
  [[nodiscard]] bool has_rows(std::size_t n) const noexcept;
  [[nodiscard]] Value at(std::size_t row) const noexcept {
    if (kind_ == Kind::numbers) return Value::of(numbers_[row]);
    if (kind_ == Kind::absent || missing_[row] != 0) return {};
    const auto start = static_cast<std::size_t>(offsets_[row]);
    return Value::of(bytes_.substr(start, static_cast<std::size_t>(offsets_[row + 1]) - start));
  }

 private:
  enum class Kind : std::uint8_t { absent, numbers, texts };
  Kind kind_ = Kind::absent;
  std::span<const double> numbers_;
  std::string_view bytes_;
  std::span<const std::int64_t> offsets_;
  std::span<const std::uint8_t> missing_;
};

// `columns` follow encoder.fields(); cells is n x n_cells, hashes n x n_hashes.
// Throws Error naming the field where a column's size differs from n or text stands where a number is read.
void encode_source(const SourceEncoder& encoder, std::span<const Column> columns, std::size_t n,
                   std::uint32_t* cells, std::uint64_t* hashes);

struct Sources {
  std::span<const Column> user;
  std::span<const Column> context;
  std::span<const Column> item;
};
// blocks[i] is n x set.blocks()[i].columns.size(); `similarity` has n values or is null. Throws as
// encode_source().
void transform(const FeatureSet& set, const Sources& sources, const float* similarity, std::size_t n,
               std::span<std::uint32_t* const> blocks);

// xxh64 of each value's canonical text; 0 where it is missing.
void hash_column(const Column& column, std::size_t n, std::uint64_t seed, std::uint64_t* hashes) noexcept;

}  // namespace shortlist::features
