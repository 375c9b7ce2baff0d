#include "features/feature_set.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/error.hpp"

namespace shortlist::features {
namespace {

// Copies a handful of cells: blocks of four, the last of which may overlap the one before.
inline void copy_cells(const std::uint32_t* from, std::size_t n, std::uint32_t* to) noexcept {
  if (n < 4) {
    for (std::size_t i = 0; i < n; ++i) to[i] = from[i];
    return;
  }
  for (std::size_t i = 0; i + 4 < n; i += 4) std::memcpy(to + i, from + i, 16);
  std::memcpy(to + n - 4, from + n - 4, 16);
}

// Rows of a table are far apart, so they are fetched this many before their turn.
constexpr std::size_t kRowsAhead = 8;

template <class T>
inline void prefetch(const T* row, std::size_t n) noexcept {
  for (std::size_t i = 0; i < n; i += 64 / sizeof(T)) __builtin_prefetch(row + i);
}

}  // namespace

FeatureSet FeatureSet::build(std::span<const FeatureDefinition> definitions) {
  check_definitions(definitions);
  FeatureSet set;
  for (const FeatureDefinition& definition : definitions) {
    const auto column = static_cast<std::uint32_t>(set.names_.size());
    set.names_.push_back(definition.name);
    set.add_to_block(definition, column);
    set.add_feature(definition, column);
  }
  for (SourceEncoder& encoder : set.encoders_) encoder.finish();
  set.spread_short_runs();
  return set;
}

FeatureSet FeatureSet::from_json(std::string_view text) {
  const std::vector<FeatureDefinition> definitions = parse_definitions(text);
  try {
    return build(definitions);
  } catch (const Error& error) {
    throw Error(ErrorCode::invalid_format, std::string("features.json: ") + error.what());
  }
}

void FeatureSet::add_to_block(const FeatureDefinition& definition, std::uint32_t column) {
  auto block = std::find_if(blocks_.begin(), blocks_.end(),
                            [&](const Block& known) { return known.name == definition.block; });
  if (block == blocks_.end()) {
    block = blocks_.insert(block, Block{definition.block, definition.block == kDenseBlock, {}});
  }
  block->columns.push_back(column);
}

void FeatureSet::add_feature(const FeatureDefinition& definition, std::uint32_t column) {
  switch (definition.kind) {
    case FeatureKind::similarity:
      similarity_columns_.push_back(column);
      return;
    case FeatureKind::cross:
      add_cross(definition, column);
      return;
    default: {
      const FieldName field = parse_field(definition.fields.front(), definition.name);
      SourceEncoder& encoder = encoders_[static_cast<std::size_t>(field.source)];
      add_source_cell(field.source, encoder.add(definition, field.name), column);
    }
  }
}

void FeatureSet::add_cross(const FeatureDefinition& definition, std::uint32_t column) {
  CrossOperation cross;
  cross.cell = column;
  cross.is_float = definition.block == kDenseBlock;
  cross.seed = definition.seed;
  cross.buckets = Buckets(definition.buckets);
  bool one_source = true;
  bool reads_item = false;
  for (const std::string& text : definition.fields) {
    const FieldName field = parse_field(text, definition.name);
    cross.sources[cross.n_fields] = field.source;
    cross.slots[cross.n_fields] = encoders_[static_cast<std::size_t>(field.source)].hash_slot(field.name);
    ++cross.n_fields;
    one_source &= field.source == cross.sources[0];
    reads_item |= field.source == Source::item;
  }
  if (one_source) {
    const Source source = cross.sources[0];
    add_source_cell(source, encoders_[static_cast<std::size_t>(source)].add_cross(cross), column);
  } else if (reads_item) {
    pair_crosses_.push_back(cross);
  } else {
    request_crosses_.push_back(cross);
    cover_request_column(column);
  }
}

void FeatureSet::add_source_cell(Source source, std::uint32_t cell, std::uint32_t column) {
  std::vector<Run>& runs = runs_[static_cast<std::size_t>(source)];
  // Cells are given out in order, so the last run is the only one that may grow.
  if (!runs.empty() && runs.back().to + runs.back().size == column) {
    ++runs.back().size;
  } else {
    runs.push_back({cell, column, 1});
  }
  if (source != Source::item) cover_request_column(column);
}

void FeatureSet::spread_short_runs() {
  constexpr std::size_t kShort = 4;
  std::vector<Run>& runs = runs_[static_cast<std::size_t>(Source::item)];
  if (runs.size() * kShort <= encoder(Source::item).n_cells()) return;
  for (const Run run : runs) {
    for (std::uint32_t i = 0; i < run.size; ++i) item_columns_.push_back(run.to + i);
  }
  runs.clear();
}

void FeatureSet::cover_request_column(std::uint32_t column) {
  if (request_begin_ == request_end_) request_begin_ = column;
  request_end_ = column + 1;
}

void FeatureSet::assemble_request(const std::uint32_t* user_cells, const std::uint64_t* user_hashes,
                                  const std::uint32_t* context_cells, const std::uint64_t* context_hashes,
                                  std::uint32_t* row) const noexcept {
  for (const Run run : runs_[static_cast<std::size_t>(Source::user)]) {
    copy_cells(user_cells + run.from, run.size, row + run.to);
  }
  for (const Run run : runs_[static_cast<std::size_t>(Source::context)]) {
    copy_cells(context_cells + run.from, run.size, row + run.to);
  }
  const std::uint64_t* const hashes[kSources] = {user_hashes, context_hashes, nullptr};
  for (const CrossOperation& cross : request_crosses_) row[cross.cell] = cross(hashes);
}

void FeatureSet::assemble_items(const std::uint32_t* request_row, const std::uint64_t* user_hashes,
                                const std::uint64_t* context_hashes, const std::uint32_t* const* item_cells,
                                const std::uint64_t* const* item_hashes, const float* similarity,
                                std::size_t n, std::uint32_t* rows) const noexcept {
  const std::size_t width = names_.size();
  const std::size_t n_request = request_end_ - request_begin_;
  const std::size_t n_item_cells = encoder(Source::item).n_cells();
  const std::span<const Run> runs = runs_[static_cast<std::size_t>(Source::item)];
  const std::span<const std::uint32_t> columns = item_columns_;
  for (std::size_t i = 0; i < n; ++i) {
    if (i + kRowsAhead < n) prefetch(item_cells[i + kRowsAhead], n_item_cells);
    std::uint32_t* const row = rows + i * width;
    const std::uint32_t* const cells = item_cells[i];
    copy_cells(request_row + request_begin_, n_request, row + request_begin_);
    for (std::size_t cell = 0; cell < columns.size(); ++cell) row[columns[cell]] = cells[cell];
    for (const Run run : runs) copy_cells(cells + run.from, run.size, row + run.to);
  }
  for (const std::uint32_t column : similarity_columns_) {
    for (std::size_t i = 0; i < n; ++i) {
      rows[i * width + column] =
          float_cell(similarity != nullptr ? similarity[i] : std::numeric_limits<float>::quiet_NaN());
    }
  }
  if (!pair_crosses_.empty()) assemble_crosses(user_hashes, context_hashes, item_hashes, n, rows);
}

void FeatureSet::assemble_crosses(const std::uint64_t* user_hashes, const std::uint64_t* context_hashes,
                                  const std::uint64_t* const* item_hashes, std::size_t n,
                                  std::uint32_t* rows) const noexcept {
  const std::size_t width = names_.size();
  const std::size_t n_item_hashes = encoder(Source::item).n_hashes();
  for (std::size_t i = 0; i < n; ++i) {
    if (i + kRowsAhead < n) prefetch(item_hashes[i + kRowsAhead], n_item_hashes);
    const std::uint64_t* const hashes[kSources] = {user_hashes, context_hashes, item_hashes[i]};
    for (const CrossOperation& cross : pair_crosses_) rows[i * width + cross.cell] = cross(hashes);
  }
}

}  // namespace shortlist::features
