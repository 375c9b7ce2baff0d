// Attributes of a request's JSON object, encoded over a row of cells and hashes.
#pragma once

#include <cstdint>
#include <string_view>

#include "features/source_encoder.hpp"
#include "pipeline/engine.hpp"

namespace shortlist::pipeline {

// A row of one source: what its encoder makes.
struct EncodedRow {
  std::uint32_t* cells;
  std::uint64_t* hashes;
};

// A number, text, boolean or null as the encoder takes it; nothing for an array or object.
[[nodiscard]] std::optional<features::Value> attribute_value(json::Value value) noexcept;

// Applies members over `row`. Members that no feature reads are counted, or refused by a strict engine;
// "id" is passed over unless a feature reads it. No name may occur twice. `where` and the member's name make
// a message's field; counted is "user.agee" or "candidates.agee", whichever the candidate.
[[nodiscard]] bool apply_attributes(const Engine& engine, const features::SourceEncoder& encoder,
                                    json::Value object, Place where, Arena& arena, EncodedRow row,
                                    Failure& failure);

}  // namespace shortlist::pipeline
