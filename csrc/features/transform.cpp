#include "features/transform.hpp"

#include <string>
#include <vector>

#include "base/error.hpp"

namespace shortlist::features {
namespace {

// The encoded form of one source in one row, and what fills it.
class RowEncoder {
 public:
  RowEncoder(const SourceEncoder& encoder, std::span<const Column> columns, std::size_t n)
      : encoder_(encoder), columns_(columns), cells_(encoder.n_cells()), hashes_(encoder.n_hashes()) {
    check(n);
  }

  void encode(std::size_t row, std::uint32_t* cells, std::uint64_t* hashes) const noexcept {
    for (std::size_t field = 0; field < columns_.size(); ++field) {
      // Columns of text where a number is read were refused by check().
      (void)encoder_.set(field, columns_[field].at(row), cells, hashes);
    }
    encoder_.cross(hashes, cells);
  }
  void encode(std::size_t row) noexcept { encode(row, cells_.data(), hashes_.data()); }

  [[nodiscard]] const std::uint32_t* cells() const noexcept { return cells_.data(); }
  [[nodiscard]] const std::uint64_t* hashes() const noexcept { return hashes_.data(); }

 private:
  void check(std::size_t n) const {
    if (columns_.size() != encoder_.fields().size()) {
      throw Error(ErrorCode::invalid_argument, "expected " + std::to_string(encoder_.fields().size()) +
                                                   " columns, found " + std::to_string(columns_.size()));
    }
    for (std::size_t field = 0; field < columns_.size(); ++field) {
      const std::string& name = encoder_.fields()[field];
      if (!columns_[field].has_rows(n)) {
        throw Error(ErrorCode::invalid_argument,
                    "column '" + name + "' has not the " + std::to_string(n) + " rows of the others");
      }
      if (columns_[field].is_text() && encoder_.reads_number(field)) {
        throw Error(ErrorCode::invalid_argument,
                    "column '" + name + "' holds text; a numeric feature reads it");
      }
    }
  }

  const SourceEncoder& encoder_;
  std::span<const Column> columns_;
  std::vector<std::uint32_t> cells_;
  std::vector<std::uint64_t> hashes_;
};

void scatter(const FeatureSet& set, const std::uint32_t* row, std::size_t index,
             std::span<std::uint32_t* const> blocks) noexcept {
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    const std::vector<std::uint32_t>& columns = set.blocks()[b].columns;
    std::uint32_t* const out = blocks[b] + index * columns.size();
    for (std::size_t i = 0; i < columns.size(); ++i) out[i] = row[columns[i]];
  }
}

}  // namespace

Column::Column(std::string_view bytes, std::span<const std::int64_t> offsets,
               std::span<const std::uint8_t> missing)
    : kind_(Kind::texts), bytes_(bytes), offsets_(offsets), missing_(missing) {
  bool fits = offsets.size() == missing.size() + 1 && offsets.front() >= 0;
  for (std::size_t i = 1; fits && i < offsets.size(); ++i) fits = offsets[i] >= offsets[i - 1];
  if (!fits || static_cast<std::size_t>(offsets.back()) > bytes.size()) {
    throw Error(ErrorCode::invalid_argument, "a text column's offsets do not fit its bytes");
  }
}

bool Column::has_rows(std::size_t n) const noexcept {
  return kind_ == Kind::absent || n == (kind_ == Kind::numbers ? numbers_.size() : missing_.size());
}

void encode_source(const SourceEncoder& encoder, std::span<const Column> columns, std::size_t n,
                   std::uint32_t* cells, std::uint64_t* hashes) {
  const RowEncoder rows(encoder, columns, n);
  for (std::size_t i = 0; i < n; ++i)
    rows.encode(i, cells + i * encoder.n_cells(), hashes + i * encoder.n_hashes());
}

void transform(const FeatureSet& set, const Sources& sources, const float* similarity, std::size_t n,
               std::span<std::uint32_t* const> blocks) {
  RowEncoder user(set.encoder(Source::user), sources.user, n);
  RowEncoder context(set.encoder(Source::context), sources.context, n);
  RowEncoder item(set.encoder(Source::item), sources.item, n);
  std::vector<std::uint32_t> request(set.n_features());
  std::vector<std::uint32_t> row(set.n_features());
  for (std::size_t i = 0; i < n; ++i) {
    user.encode(i);
    context.encode(i);
    item.encode(i);
    set.assemble_request(user.cells(), user.hashes(), context.cells(), context.hashes(), request.data());
    const std::uint32_t* const item_cells = item.cells();
    const std::uint64_t* const item_hashes = item.hashes();
    set.assemble_items(request.data(), user.hashes(), context.hashes(), &item_cells, &item_hashes,
                       similarity != nullptr ? similarity + i : nullptr, 1, row.data());
    scatter(set, row.data(), i, blocks);
  }
}

void hash_column(const Column& column, std::size_t n, std::uint64_t seed, std::uint64_t* hashes) noexcept {
  for (std::size_t i = 0; i < n; ++i) {
    const Value value = column.at(i);
    char buffer[kCanonicalBytes];
    const std::string_view text =
        value.kind == Value::Kind::number ? canonical_text(value.number, buffer) : value.text;
    hashes[i] = value.is_missing() ? kMissingHash : xxh64(text, seed);
  }
}

}  // namespace shortlist::features
