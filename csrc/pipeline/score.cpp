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
    if (!check_size() || !encode()) return false;
    clock_.mark(Stage::features);
    const std::size_t n = rows_.size();
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

  // A short request can stand for much memory where there are very many features.
  [[nodiscard]] bool check_size() {
    const std::size_t width = std::max(n_features_, engine_.ranker().n_outputs());
    if (rows_.size() * width <= kMaxCells) return true;
    return reject({"rows: ", decimal(arena_, static_cast<std::int64_t>(rows_.size())), " elements of ",
                   decimal(arena_, static_cast<std::int64_t>(width)), " values, at most ",
                   decimal(arena_, static_cast<std::int64_t>(kMaxCells)), " values are taken"});
  }

  [[nodiscard]] bool encode() {
    matrix_ = arena_.array<std::uint32_t>(rows_.size() * n_features_);
    if (engine_.features() != nullptr) {
      allocate_sources(*engine_.features());
    } else {
      seen_in_[0] = zeros(n_features_);
    }
    for (const json::Value row : rows_.array()) {
      if (!row.is(json::Type::object)) {
        return reject(
            {place_text(arena_, {"rows", row_}), ": got ", describe(arena_, row), ", expected an object"});
      }
      std::uint32_t* const cells = matrix_.data() + row_ * n_features_;
      if (!(engine_.features() != nullptr ? encode_by_features(row, cells) : encode_by_names(row, cells))) {
        return false;
      }
      ++row_;
    }
    return true;
  }

  [[nodiscard]] std::span<std::uint32_t> zeros(std::size_t size) {
    const std::span<std::uint32_t> values = arena_.array<std::uint32_t>(size);
    std::fill(values.begin(), values.end(), 0u);
    return values;
  }

  void allocate_sources(const features::FeatureSet& features) {
    request_row_ = arena_.array<std::uint32_t>(n_features_).data();
    for (std::size_t s = 0; s < features::kSources; ++s) {
      const features::SourceEncoder& encoder = features.encoder(static_cast<features::Source>(s));
      sources_[s] = {arena_.array<std::uint32_t>(encoder.n_cells()).data(),
                     arena_.array<std::uint64_t>(encoder.n_hashes()).data()};
      seen_in_[s] = zeros(encoder.fields().size());
    }
  }

  // "rows[3].user.age"
  [[nodiscard]] std::string_view name_of(json::Member member) {
    return concatenate(arena_, {place_text(arena_, {"rows", row_}), ".", clipped(member.key)});
  }

  [[nodiscard]] bool unknown(json::Member member) {
    if (engine_.strict()) return reject({name_of(member), ": no feature has this name"});
    engine_.counters().count_unknown_attribute(member.key);
    return true;
  }
  [[nodiscard]] bool expected_number(json::Member member) {
    return reject({name_of(member), ": got ", describe(arena_, member.value), ", expected a number or null"});
  }
  // The first of its name in this row?
  [[nodiscard]] bool first_time(json::Member member, std::uint32_t& seen_in) {
    const auto row = static_cast<std::uint32_t>(row_) + 1;
    if (seen_in == row) return reject({name_of(member), ": occurs twice"});
    seen_in = row;
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
      const bool is_similarity = member.key == "similarity" && features.uses_similarity();
      if (!(is_similarity ? set_similarity(member, similarity) : set_field(features, member))) return false;
    }
    for (std::size_t s = 0; s < features::kSources; ++s) {
      features.encoder(static_cast<features::Source>(s)).cross(sources_[s].hashes, sources_[s].cells);
    }
    const auto& [user, context, item] = sources_;
    features.assemble_request(user.cells, user.hashes, context.cells, context.hashes, request_row_);
    const std::uint32_t* const item_cells = item.cells;
    const std::uint64_t* const item_hashes = item.hashes;
    features.assemble_items(request_row_, user.hashes, context.hashes, &item_cells, &item_hashes, &similarity,
                            1, cells);
    return true;
  }

  [[nodiscard]] bool set_similarity(json::Member member, float& similarity) {
    if (!first_time(member, similarity_seen_in_)) return false;
    const std::optional<features::Value> value = attribute_value(member.value);
    if (!value || value->kind == features::Value::Kind::text) return expected_number(member);
    if (!value->is_missing()) similarity = static_cast<float>(value->number);
    return true;
  }

  [[nodiscard]] bool set_field(const features::FeatureSet& features, json::Member member) {
    static constexpr std::string_view kPrefixes[features::kSources] = {"user.", "context.", "item."};
    for (std::size_t s = 0; s < features::kSources; ++s) {
      if (!member.key.starts_with(kPrefixes[s])) continue;
      const features::SourceEncoder& encoder = features.encoder(static_cast<features::Source>(s));
      const std::optional<std::size_t> field = encoder.find_field(member.key.substr(kPrefixes[s].size()));
      if (!field) break;
      if (!first_time(member, seen_in_[s][*field])) return false;
      const std::optional<features::Value> value = attribute_value(member.value);
      if (!value) {
        return reject({name_of(member), ": got ", describe(arena_, member.value),
                       ", expected a number, a string, a boolean or null"});
      }
      if (encoder.set(*field, *value, sources_[s].cells, sources_[s].hashes) != features::EncodeError::none) {
        return expected_number(member);
      }
      return true;
    }
    return unknown(member);
  }

  // Without a feature set the values are the model's features themselves: float32, NaN where none is sent.
  [[nodiscard]] bool encode_by_names(json::Value row, std::uint32_t* cells) {
    constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
    std::fill_n(cells, n_features_, std::bit_cast<std::uint32_t>(kMissing));
    for (const json::Member member : row.object()) {
      const std::optional<std::size_t> position = engine_.find_feature(member.key);
      if (!position) {
        if (!unknown(member)) return false;
        continue;
      }
      if (!first_time(member, seen_in_[0][*position])) return false;
      const std::optional<features::Value> value = attribute_value(member.value);
      if (!value || value->kind == features::Value::Kind::text) return expected_number(member);
      if (!value->is_missing()) {
        cells[*position] = std::bit_cast<std::uint32_t>(static_cast<float>(value->number));
      }
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
  // The last row, counted from 1, that had a field of each source, or a feature where there is no feature
  // set.
  std::span<std::uint32_t> seen_in_[features::kSources];
  std::uint32_t similarity_seen_in_ = 0;
  std::uint32_t* request_row_ = nullptr;
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
