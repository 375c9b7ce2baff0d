#include "features/source_encoder.hpp"

#include <algorithm>

namespace shortlist::features {

std::optional<std::size_t> SourceEncoder::find_field(std::string_view name) const noexcept {
  return name_table_.find(name, xxh64(name));
}

void SourceEncoder::encode_missing(std::uint32_t* cells, std::uint64_t* hashes) const noexcept {
  for (const Field& field : fields_) set_missing(field, cells, hashes);
  cross(hashes, cells);
}

EncodeError SourceEncoder::set(std::size_t field_position, const Value& value, std::uint32_t* cells,
                               std::uint64_t* hashes) const noexcept {
  const Field& field = fields_[field_position];
  if (value.is_missing()) {
    set_missing(field, cells, hashes);
    return EncodeError::none;
  }
  if (value.kind == Value::Kind::text) {
    if (field.needs_number) return EncodeError::text_for_number;
    set_text(field, value.text, cells, hashes);
    return EncodeError::none;
  }
  if (field.needs_number) set_number(field, value.number, cells);
  if (field.needs_text) {
    char buffer[kCanonicalBytes];
    set_text(field, canonical_text(value.number, buffer), cells, hashes);
  }
  return EncodeError::none;
}

void SourceEncoder::cross(const std::uint64_t* hashes, std::uint32_t* cells) const noexcept {
  const std::uint64_t* const by_source[kSources] = {hashes, hashes, hashes};
  for (const CrossOperation& cross : crosses_) cells[cross.cell] = cross(by_source);
}

void SourceEncoder::set_missing(const Field& field, std::uint32_t* cells,
                                std::uint64_t* hashes) const noexcept {
  for (const Operation& operation : field.operations) cells[operation.cell] = operation.missing_cell;
  if (field.hash_slot) hashes[*field.hash_slot] = kMissingHash;
}

void SourceEncoder::set_number(const Field& field, double number, std::uint32_t* cells) const noexcept {
  for (const Operation& operation : field.operations) {
    if (operation.kind != FeatureKind::numeric) continue;
    cells[operation.cell] = float_cell(static_cast<float>((number - operation.offset) / operation.divisor));
  }
}

void SourceEncoder::set_text(const Field& field, std::string_view text, std::uint32_t* cells,
                             std::uint64_t* hashes) const noexcept {
  const std::uint64_t hash = xxh64(text);
  for (const Operation& operation : field.operations) {
    std::uint32_t code = 0;
    if (operation.kind == FeatureKind::hashed) {
      code = operation.buckets.code(operation.seed == 0 ? hash : xxh64(text, operation.seed));
    } else if (operation.kind == FeatureKind::categorical) {
      const std::optional<std::uint32_t> entry = vocabularies_[operation.vocabulary].find(text, hash);
      code = entry ? *entry + 1 : 0;
    } else {
      continue;
    }
    cells[operation.cell] = code_cell(code, operation.is_float);
  }
  if (field.hash_slot) hashes[*field.hash_slot] = std::max<std::uint64_t>(hash, 1);
}

std::uint32_t SourceEncoder::field_position(std::string_view name) {
  const auto found = std::find(names_.begin(), names_.end(), name);
  const auto position = static_cast<std::uint32_t>(found - names_.begin());
  if (found == names_.end()) {
    names_.emplace_back(name);
    fields_.emplace_back();
  }
  return position;
}

std::uint32_t SourceEncoder::hash_slot(std::string_view name) {
  Field& field = fields_[field_position(name)];
  field.needs_text = true;
  if (!field.hash_slot) field.hash_slot = n_hashes_++;
  return *field.hash_slot;
}

std::uint32_t SourceEncoder::add(const FeatureDefinition& definition, std::string_view name) {
  Field& field = fields_[field_position(name)];
  Operation operation;
  operation.kind = definition.kind;
  operation.is_float = definition.block == kDenseBlock;
  operation.cell = n_cells_++;
  operation.missing_cell = code_cell(0, operation.is_float);
  if (definition.kind == FeatureKind::numeric) {
    field.needs_number = true;
    operation.missing_cell = float_cell(static_cast<float>(definition.missing));
    operation.offset = definition.offset;
    operation.divisor = definition.divisor;
  } else {
    field.needs_text = true;
    operation.seed = definition.seed;
    if (definition.kind == FeatureKind::hashed) {
      operation.buckets = Buckets(definition.buckets);
    } else {
      operation.vocabulary = static_cast<std::uint32_t>(vocabularies_.size());
      vocabularies_.emplace_back(definition.vocabulary);
    }
  }
  field.operations.push_back(operation);
  return operation.cell;
}

std::uint32_t SourceEncoder::add_cross(CrossOperation cross) {
  cross.cell = n_cells_++;
  crosses_.push_back(cross);
  return cross.cell;
}

}  // namespace shortlist::features
