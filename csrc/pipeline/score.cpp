// The way of one score request: rows of named values, encoded by the feature set or taken as the model's
// features.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "pipeline/attributes.hpp"
#include "pipeline/engine.hpp"
#include "pipeline/request.hpp"
#include "pipeline/stage_clock.hpp"

namespace shortlist::pipeline {
namespace {

using telemetry::Stage;

constexpr std::size_t kMaxRows = 100'000;

class ScoreCall {
 public:
  ScoreCall(const Engine& engine, Arena& arena, Failure& failure)
      : engine_(engine), arena_(arena), failure_(failure), n_features_(engine.ranker().n_features()) {}

  [[nodiscard]] bool run(std::string_view body, ScoreResult& result) {
    const std::optional<json::Value> root = parse_body(body, arena_, failure_);
    if (!root || !parse(*root, result)) return false;
    clock_.mark(Stage::parse);
    const std::size_t n = rows_.size();
    matrix_ = arena_.array<std::uint32_t>(n * n_features_);
    if (!encode()) return false;
    clock_.mark(Stage::features);
    const std::size_t n_outputs = engine_.ranker().n_outputs();
    const std::span<double> scores = arena_.array<double>(n * n_outputs);
    if (n != 0 && !engine_.ranker().predict(matrix_.data(), n, scores.data(), arena_))
      return internal("the ranker failed");
    for (const double score : scores) {
      if (!std::isfinite(score)) return internal("the ranker returned a score that is not finite");
    }
    clock_.mark(Stage::score);
    result.scores = scores;
    result.n_rows = n;
    result.times = clock_.finish();
    return true;
  }

 private:
  [[nodiscard]] bool reject(std::initializer_list<std::string_view> message) {
    failure_ = {Failure::Kind::bad_request, concatenate(arena_, message)};
    return false;
  }
  [[nodiscard]] bool internal(std::string_view message) {
    failure_ = {Failure::Kind::internal, message};
    return false;
  }

  [[nodiscard]] bool parse(json::Value root, ScoreResult& result) {
    bool has_rows = false;
    for (const json::Member member : root.object()) {
      if (member.key == "request_id" && !result.request_id) {
        if (!parse_request_id(member.value, arena_, result.request_id, failure_)) return false;
      } else if (member.key == "rows" && !has_rows) {
        rows_ = member.value;
        has_rows = true;
      } else {
        const bool again = member.key == "rows" || member.key == "request_id";
        return reject({again ? "field " : "unknown field ", quote(arena_, member.key),
                       again ? " occurs twice" : ", expected rows or request_id"});
      }
    }
    if (!has_rows) return reject({"rows: missing, expected an array of objects"});
    if (!rows_.is(json::Type::array)) {
      return reject({"rows: got ", describe(arena_, rows_), ", expected an array of objects"});
    }
    if (rows_.size() > kMaxRows) {
      return reject({"rows: ", decimal(arena_, static_cast<std::int64_t>(rows_.size())),
                     " elements, at most 100000 are taken"});
    }
    return true;
  }

  [[nodiscard]] bool encode() {
    if (const features::FeatureSet* const features = engine_.features()) allocate_sources(*features);
    std::size_t i = 0;
    for (const json::Value row : rows_.array()) {
      std::uint32_t* const cells = matrix_.data() + i * n_features_;
      if (!row.is(json::Type::object)) {
        return reject({"rows[", decimal(arena_, static_cast<std::int64_t>(i)), "]: got ",
                       describe(arena_, row), ", expected an object"});
      }
      row_ = i++;
      if (!(engine_.features() != nullptr ? encode_by_features(row, cells) : encode_by_names(row, cells)))
        return false;
    }
    return true;
  }

  void allocate_sources(const features::FeatureSet& features) {
    for (std::size_t s = 0; s < features::kSources; ++s) {
      const features::SourceEncoder& encoder = features.encoder(static_cast<features::Source>(s));
      sources_[s] = {arena_.array<std::uint32_t>(encoder.n_cells()).data(),
                     arena_.array<std::uint64_t>(encoder.n_hashes()).data()};
    }
  }

  // "rows[3].user.age"
  [[nodiscard]] std::string_view name_of(json::Member member) {
    return concatenate(arena_, {"rows[", decimal(arena_, static_cast<std::int64_t>(row_)), "].", member.key});
  }

  [[nodiscard]] bool unknown(json::Member member) {
    if (engine_.strict()) return reject({name_of(member), ": no feature has this name"});
    engine_.counters().count_unknown_attribute(member.key);
    return true;
  }

  [[nodiscard]] bool encode_by_features(json::Value row, std::uint32_t* cells) {
    const features::FeatureSet& features = *engine_.features();
    for (std::size_t s = 0; s < features::kSources; ++s) {
      features.encoder(static_cast<features::Source>(s))
          .encode_missing(sources_[s].cells, sources_[s].hashes);
    }
    float similarity = std::numeric_limits<float>::quiet_NaN();
    for (const json::Member member : row.object()) {
      if (!set_field(features, member, similarity)) return false;
    }
    for (std::size_t s = 0; s < features::kSources; ++s) {
      features.encoder(static_cast<features::Source>(s)).cross(sources_[s].hashes, sources_[s].cells);
    }
    const auto& [user, context, item] = sources_;
    features.assemble_request(user.cells, user.hashes, context.cells, context.hashes, cells);
    const std::uint32_t* const item_cells = item.cells;
    const std::uint64_t* const item_hashes = item.hashes;
    // The row serves as its own template: assembling reads the request-level cells that it then writes.
    std::uint32_t* const request_row = arena_.array<std::uint32_t>(n_features_).data();
    std::copy_n(cells, n_features_, request_row);
    features.assemble_items(request_row, user.hashes, context.hashes, &item_cells, &item_hashes, &similarity,
                            1, cells);
    return true;
  }

  [[nodiscard]] bool set_field(const features::FeatureSet& features, json::Member member, float& similarity) {
    const std::optional<features::Value> value = attribute_value(member.value);
    if (!value) {
      return reject({name_of(member), ": got ", describe(arena_, member.value),
                     ", expected a number, a string, a boolean or null"});
    }
    if (member.key == "similarity" && features.uses_similarity()) {
      if (value->kind == features::Value::Kind::text) return expected_number(member);
      if (!value->is_missing()) similarity = static_cast<float>(value->number);
      return true;
    }
    static constexpr std::string_view kPrefixes[features::kSources] = {"user.", "context.", "item."};
    for (std::size_t s = 0; s < features::kSources; ++s) {
      if (!member.key.starts_with(kPrefixes[s])) continue;
      const features::SourceEncoder& encoder = features.encoder(static_cast<features::Source>(s));
      const std::optional<std::size_t> field = encoder.find_field(member.key.substr(kPrefixes[s].size()));
      if (!field) break;
      if (encoder.set(*field, *value, sources_[s].cells, sources_[s].hashes) != features::EncodeError::none) {
        return expected_number(member);
      }
      return true;
    }
    return unknown(member);
  }

  [[nodiscard]] bool expected_number(json::Member member) {
    return reject({name_of(member), ": got ", describe(arena_, member.value), ", expected a number or null"});
  }

  // Without a feature set the values are the model's features themselves: float32, NaN where none is sent.
  [[nodiscard]] bool encode_by_names(json::Value row, std::uint32_t* cells) {
    constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
    std::fill_n(cells, n_features_, std::bit_cast<std::uint32_t>(kMissing));
    const std::span<const std::string> names = engine_.ranker().feature_names();
    std::size_t next = 0;  // callers send features in the model's order, as a rule
    for (const json::Member member : row.object()) {
      std::size_t position = next;
      if (position == names.size() || names[position] != member.key) {
        position =
            static_cast<std::size_t>(std::find(names.begin(), names.end(), member.key) - names.begin());
      }
      if (position == names.size()) {
        if (!unknown(member)) return false;
        continue;
      }
      const std::optional<features::Value> value = attribute_value(member.value);
      if (!value || value->kind == features::Value::Kind::text) return expected_number(member);
      if (!value->is_missing())
        cells[position] = std::bit_cast<std::uint32_t>(static_cast<float>(value->number));
      next = position + 1;
    }
    return true;
  }

  const Engine& engine_;
  Arena& arena_;
  Failure& failure_;
  std::size_t n_features_;
  StageClock clock_;
  json::Value rows_{nullptr};
  std::size_t row_ = 0;
  EncodedRow sources_[features::kSources] = {};
  std::span<std::uint32_t> matrix_;
};

}  // namespace

bool Engine::score(std::string_view body, Arena& arena, ScoreResult& result, Failure& failure) const {
  ScoreCall call(*this, arena, failure);
  if (call.run(body, result)) return true;
  counters().count_error(telemetry::Route::score);
  return false;
}

}  // namespace shortlist::pipeline
