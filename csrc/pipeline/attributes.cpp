#include "pipeline/attributes.hpp"

namespace shortlist::pipeline {
namespace {

[[nodiscard]] bool reject(Failure& failure, std::string_view message) {
  failure = {Failure::Kind::bad_request, message};
  return false;
}

}  // namespace

std::optional<features::Value> attribute_value(json::Value value) noexcept {
  switch (value.type()) {
    case json::Type::null:
      return features::Value{};
    case json::Type::boolean:
      return features::Value::of(value.boolean() ? 1.0 : 0.0);
    case json::Type::integer:
    case json::Type::number:
      return features::Value::of(value.number());
    case json::Type::string:
      return features::Value::of(value.string());
    default:
      return std::nullopt;
  }
}

bool apply_attributes(const Engine& engine, const features::SourceEncoder& encoder, json::Value object,
                      Place where, Arena& arena, EncodedRow row, Failure& failure) {
  const std::span<bool> seen = arena.array<bool>(encoder.fields().size());
  for (bool& flag : seen) flag = false;
  bool seen_id = false;
  for (const json::Member member : object.object()) {
    const auto name = [&] {
      return concatenate(arena, {place_text(arena, where), ".", clipped(member.key)});
    };
    const std::optional<std::size_t> field = encoder.find_field(member.key);
    if (!field) {
      if (member.key == "id" && !seen_id) {
        seen_id = true;
        continue;
      }
      if (member.key == "id") return reject(failure, concatenate(arena, {name(), ": occurs twice"}));
      if (engine.strict())
        return reject(failure, concatenate(arena, {name(), ": no feature reads this attribute"}));
      engine.counters().count_unknown_attribute(concatenate(arena, {where.field, ".", clipped(member.key)}));
      continue;
    }
    if (seen[*field]) return reject(failure, concatenate(arena, {name(), ": occurs twice"}));
    seen[*field] = true;
    const std::optional<features::Value> value = attribute_value(member.value);
    if (!value) {
      return reject(failure, concatenate(arena, {name(), ": got ", describe(arena, member.value),
                                                 ", expected a number, a string, a boolean or null"}));
    }
    if (encoder.set(*field, *value, row.cells, row.hashes) != features::EncodeError::none) {
      return reject(failure, concatenate(arena, {name(), ": got ", describe(arena, member.value),
                                                 ", expected a number"}));
    }
  }
  encoder.cross(row.hashes, row.cells);
  return true;
}

}  // namespace shortlist::pipeline
