// Results as JSON.
#include "json/writer.hpp"
#include "pipeline/engine.hpp"
#include "pipeline/stage_clock.hpp"

namespace shortlist::pipeline {
namespace {

using telemetry::Stage;

void write_id(json::Writer& writer, const table::IdMap& ids, std::size_t row) {
  if (ids.is_text()) {
    writer.string(ids.text(row));
  } else {
    writer.integer(ids.integer(row));
  }
}

void write_scores(json::Writer& writer, std::span<const double> scores) {
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (i != 0) writer.raw(",");
    writer.number(scores[i]);
  }
}

void write_request_id(json::Writer& writer, const std::optional<std::string_view>& request_id) {
  if (request_id) writer.raw(",\"request_id\":").string(*request_id);
}

void write_unknown_ids(json::Writer& writer, std::span<const json::Value> ids) {
  if (ids.empty()) return;
  writer.raw(",\"unknown_ids\":[");
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i != 0) writer.raw(",");
    if (ids[i].is(json::Type::string)) {
      writer.string(ids[i].string());
    } else {
      writer.integer(ids[i].integer());
    }
  }
  writer.raw("]");
}

// Microseconds of the stages that ran.
void write_timings(json::Writer& writer, const telemetry::StageTimes& times) {
  writer.raw(",\"timings\":{");
  bool first = true;
  for (std::size_t stage = 0; stage < times.size(); ++stage) {
    if (times[stage] == 0) continue;
    if (!first) writer.raw(",");
    writer.string(telemetry::kStageNames[stage]).raw(":").number(static_cast<double>(times[stage]) / 1000.0);
    first = false;
  }
  writer.raw("}");
}

// Adds the serialising to the times: what `clock` saw since the result was there.
void add_serialising(telemetry::StageTimes& times, StageClock& clock) {
  const std::uint64_t spent = clock.finish()[static_cast<std::size_t>(Stage::total)];
  times[static_cast<std::size_t>(Stage::serialise)] += spent;
  times[static_cast<std::size_t>(Stage::total)] += spent;
}

}  // namespace

bool Engine::rank_json(std::string_view body, bool timings, Arena& arena, std::string_view& reply,
                       Failure& failure) const {
  RankResult result;
  if (!rank(body, arena, result, failure)) return false;
  StageClock clock;
  json::Writer writer(arena, 256 + 48 * result.rows.size());
  writer.raw("{\"ids\":[");
  for (std::size_t i = 0; i < result.rows.size(); ++i) {
    if (i != 0) writer.raw(",");
    write_id(writer, items_->ids(), result.rows[i]);
  }
  writer.raw("],\"scores\":[");
  write_scores(writer, result.scores);
  writer.raw("],\"version\":").string(version());
  write_request_id(writer, result.request_id);
  if (!result.fallback.empty()) writer.raw(",\"fallback\":").string(result.fallback);
  write_unknown_ids(writer, result.unknown_ids);
  add_serialising(result.times, clock);
  if (timings) write_timings(writer, result.times);
  reply = writer.raw("}").text();
  counters().count_request(telemetry::Route::rank, result.times);
  return true;
}

bool Engine::score_json(std::string_view body, Arena& arena, std::string_view& reply,
                        Failure& failure) const {
  ScoreResult result;
  if (!score(body, arena, result, failure)) return false;
  StageClock clock;
  json::Writer writer(arena, 256 + 24 * result.scores.size());
  writer.raw("{\"scores\":[");
  const std::size_t n_outputs = ranker_->n_outputs();
  if (n_outputs == 1) {
    write_scores(writer, result.scores);
  } else {
    for (std::size_t row = 0; row < result.n_rows; ++row) {
      writer.raw(row == 0 ? "[" : ",[");
      write_scores(writer, result.scores.subspan(row * n_outputs, n_outputs));
      writer.raw("]");
    }
  }
  writer.raw("],\"version\":").string(version());
  write_request_id(writer, result.request_id);
  reply = writer.raw("}").text();
  add_serialising(result.times, clock);
  counters().count_request(telemetry::Route::score, result.times);
  return true;
}

}  // namespace shortlist::pipeline
