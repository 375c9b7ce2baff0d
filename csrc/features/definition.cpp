#include "features/definition.hpp"

#include <array>
#include <cmath>
#include <unordered_set>

#include "base/error.hpp"

namespace shortlist::features {
namespace {

constexpr std::array<std::pair<std::string_view, Source>, kSources> kPrefixes = {
    {{"user.", Source::user}, {"context.", Source::context}, {"item.", Source::item}}};

[[noreturn]] void reject(std::string_view feature, const std::string& why) {
  throw Error(ErrorCode::invalid_argument, "feature '" + std::string(feature) + "': " + why);
}

void check_field_count(const FeatureDefinition& definition) {
  const std::size_t n = definition.fields.size();
  switch (definition.kind) {
    case FeatureKind::similarity:
      if (n != 0) reject(definition.name, "a similarity reads no field");
      return;
    case FeatureKind::cross:
      if (n < 2 || n > kMaxCrossFields) {
        reject(definition.name, "a cross takes 2 or 3 fields, this has " + std::to_string(n));
      }
      return;
    default:
      if (n != 1) reject(definition.name, "expected one field, this has " + std::to_string(n));
  }
}

void check_fields(const FeatureDefinition& definition) {
  check_field_count(definition);
  for (std::size_t i = 0; i < definition.fields.size(); ++i) {
    (void)parse_field(definition.fields[i], definition.name);
    for (std::size_t j = 0; j < i; ++j) {
      if (definition.fields[i] == definition.fields[j]) {
        reject(definition.name, "field '" + definition.fields[i] + "' is crossed with itself");
      }
    }
  }
}

void check_numeric(const FeatureDefinition& definition) {
  if (!std::isfinite(definition.offset)) reject(definition.name, "offset must be finite");
  if (!std::isfinite(definition.divisor) || definition.divisor == 0.0) {
    reject(definition.name, "divisor must be finite and not 0");
  }
  if (std::isinf(definition.missing)) reject(definition.name, "missing must be finite or NaN");
}

void check_vocabulary(const FeatureDefinition& definition, std::uint64_t max_code) {
  const std::vector<std::string>& entries = definition.vocabulary;
  if (entries.empty()) reject(definition.name, "the vocabulary is empty");
  if (entries.size() > max_code) {
    reject(definition.name, "a vocabulary in block '" + definition.block + "' has at most " +
                                std::to_string(max_code) + " entries, this has " +
                                std::to_string(entries.size()));
  }
  std::unordered_set<std::string_view> seen;
  seen.reserve(entries.size());
  for (const std::string& entry : entries) {
    if (!seen.insert(entry).second) reject(definition.name, "the vocabulary holds '" + entry + "' twice");
  }
}

void check_buckets(const FeatureDefinition& definition, std::uint64_t max_code) {
  if (definition.buckets < 2 || definition.buckets > max_code) {
    reject(definition.name, "buckets in block '" + definition.block + "' must be 2 to " +
                                std::to_string(max_code) + ", not " + std::to_string(definition.buckets));
  }
}

void check_definition(const FeatureDefinition& definition) {
  if (definition.name.empty()) throw Error(ErrorCode::invalid_argument, "a feature has an empty name");
  if (definition.block.empty()) reject(definition.name, "the block's name is empty");
  check_fields(definition);
  const bool dense = definition.block == kDenseBlock;
  const std::uint64_t max_code = dense ? kMaxDenseCode : kMaxCode;
  switch (definition.kind) {
    case FeatureKind::numeric:
    case FeatureKind::similarity:
      if (!dense) {
        reject(definition.name,
               "block '" + definition.block + "' holds integers; this kind belongs in 'dense'");
      }
      if (definition.kind == FeatureKind::numeric) check_numeric(definition);
      return;
    case FeatureKind::categorical:
      check_vocabulary(definition, max_code);
      return;
    case FeatureKind::hashed:
    case FeatureKind::cross:
      check_buckets(definition, max_code);
      return;
  }
}

}  // namespace

FieldName parse_field(std::string_view field, std::string_view feature) {
  for (const auto& [prefix, source] : kPrefixes) {
    if (field.starts_with(prefix) && field.size() > prefix.size())
      return {source, field.substr(prefix.size())};
  }
  reject(feature, "field '" + std::string(field) + "' must be user.NAME, context.NAME or item.NAME");
}

void check_definitions(std::span<const FeatureDefinition> definitions) {
  if (definitions.empty())
    throw Error(ErrorCode::invalid_argument, "a feature set needs at least one feature");
  if (definitions.size() > kMaxFeatures) {
    throw Error(ErrorCode::invalid_argument, "a feature set has at most " + std::to_string(kMaxFeatures) +
                                                 " features, this has " + std::to_string(definitions.size()));
  }
  std::unordered_set<std::string_view> names;
  for (const FeatureDefinition& definition : definitions) {
    check_definition(definition);
    if (!names.insert(definition.name).second) {
      reject(definition.name, "the name is used twice; give one of them another with name=");
    }
  }
}

}  // namespace shortlist::features
