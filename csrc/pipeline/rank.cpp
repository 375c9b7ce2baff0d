#include "pipeline/rank.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/bitmap.hpp"
#include "pipeline/top_k.hpp"
#include "table/filter.hpp"

namespace shortlist::pipeline {

using telemetry::Stage;

bool RankCall::run(std::string_view body, RankResult& result) {
  const std::optional<json::Value> root = parse_body(body, arena_, failure_);
  if (!root || !parse_rank_request(*root, arena_, request_, failure_)) return false;
  clock_.mark(Stage::parse);
  if (!resolve_user() || !encode_context() || !find_query()) return false;
  clock_.mark(Stage::user);
  if (!restrict_rows() || !find_candidates() || !check_size()) return false;
  clock_.mark(Stage::retrieve);
  assemble();
  clock_.mark(Stage::features);
  if (!score()) return false;
  clock_.mark(Stage::score);
  select(result);
  clock_.mark(Stage::select);
  result.fallback = fallback_;
  result.unknown_ids = unknown_ids_;
  result.request_id = request_.request_id;
  result.times = clock_.finish();
  return true;
}

bool RankCall::reject(std::initializer_list<std::string_view> message) {
  failure_ = {Failure::Kind::bad_request, concatenate(arena_, message)};
  return false;
}

bool RankCall::find_row(const table::IdMap& ids, json::Value id, Place where,
                        std::optional<std::uint32_t>& row) {
  if (!id.is(ids.is_text() ? json::Type::string : json::Type::integer)) {
    return reject({place_text(arena_, where), ": got ", describe(arena_, id), ", expected ",
                   ids.is_text() ? "a string id" : "an integer id"});
  }
  row = ids.is_text() ? ids.find(id.string()) : ids.find(id.integer());
  return true;
}

EncodedRow RankCall::new_row(const features::SourceEncoder& encoder) {
  return {arena_.array<std::uint32_t>(encoder.n_cells()).data(),
          arena_.array<std::uint64_t>(encoder.n_hashes()).data()};
}

bool RankCall::resolve_user() {
  const features::SourceEncoder& encoder = features_.encoder(features::Source::user);
  user_ = new_row(encoder);
  const std::optional<json::Value> id = request_.user ? request_.user->find("id") : std::nullopt;
  if (id && engine_.users() != nullptr && !find_row(engine_.users()->ids(), *id, {"user.id"}, user_row_)) {
    return false;
  }
  if (user_row_) {
    std::copy_n(engine_.users()->cells(*user_row_), encoder.n_cells(), user_.cells);
    std::copy_n(engine_.users()->hashes(*user_row_), encoder.n_hashes(), user_.hashes);
  } else {
    encoder.encode_missing(user_.cells, user_.hashes);
  }
  return !request_.user ||
         apply_attributes(engine_, encoder, *request_.user, {"user"}, arena_, user_, failure_);
}

bool RankCall::encode_context() {
  const features::SourceEncoder& encoder = features_.encoder(features::Source::context);
  context_ = new_row(encoder);
  encoder.encode_missing(context_.cells, context_.hashes);
  return !request_.context ||
         apply_attributes(engine_, encoder, *request_.context, {"context"}, arena_, context_, failure_);
}

bool RankCall::find_query() {
  const bool searches = engine_.index() != nullptr;
  if (request_.vector && !(searches && engine_.takes(QuerySource::vector))) {
    return reject({"vector: this bundle takes no query vector from requests"});
  }
  if (request_.like && !(searches && engine_.takes(QuerySource::like))) {
    return reject({"like: this bundle makes no query from items"});
  }
  if (!searches) return true;
  // What the request sends is checked even where an earlier source wins.
  for (const QuerySource source : engine_.settings().query) {
    if (!take_query(source)) return false;
  }
  return true;
}

bool RankCall::take_query(QuerySource source) {
  switch (source) {
    case QuerySource::vector:
      return take_request_vector();
    case QuerySource::like:
      return take_mean_of_liked();
    case QuerySource::users:
      if (user_row_ && !query_) take_user_vector(*user_row_);
      return true;
  }
  return true;
}

// A vector that is not finite, which only a damaged bundle holds, is no vector.
void RankCall::take_user_vector(std::size_t row) {
  const retrieval::FlatIndex& index = *engine_.index();
  const float* const vector = engine_.users()->vector(row);
  if (std::all_of(vector, vector + index.dim(), [](float value) { return std::isfinite(value); })) {
    query_ = index.prepare(vector);
  }
}

bool RankCall::take_request_vector() {
  if (!request_.vector) return true;
  const std::size_t dim = engine_.index()->dim();
  if (request_.vector->size() != dim) {
    return reject({"vector: ", decimal(arena_, static_cast<std::int64_t>(request_.vector->size())),
                   " elements, expected ", decimal(arena_, static_cast<std::int64_t>(dim))});
  }
  const std::span<float> vector = arena_.array<float>(dim);
  std::size_t i = 0;
  for (const json::Value element : request_.vector->array()) {
    const auto value =
        element.is_number() ? static_cast<float>(element.number()) : std::numeric_limits<float>::infinity();
    if (!std::isfinite(value)) {
      return reject({"vector[", decimal(arena_, static_cast<std::int64_t>(i)), "]: got ",
                     describe(arena_, element), ", expected a number that float32 can hold"});
    }
    vector[i++] = value;
  }
  if (!query_) query_ = engine_.index()->prepare(vector.data());
  return true;
}

// The mean is taken in the order sent; unknown ids are left out, and the liked items are not retrieved.
bool RankCall::take_mean_of_liked() {
  if (!request_.like) return true;
  const retrieval::FlatIndex& index = *engine_.index();
  const std::span<float> mean = arena_.array<float>(index.dim());
  std::fill(mean.begin(), mean.end(), 0.0f);
  std::size_t position = 0;
  std::size_t known = 0;
  for (const json::Value id : request_.like->array()) {
    std::optional<std::uint32_t> row;
    if (!find_row(items_.ids(), id, {"like", position++}, row)) return false;
    if (!row) continue;
    const float* const vector = index.vector(*row);
    for (std::size_t j = 0; j < mean.size(); ++j) mean[j] += vector[j];
    if (!request_.candidates) clear_bit(allowed_rows(), *row);
    ++known;
  }
  if (known == 0 || query_) return true;
  for (float& value : mean) value /= static_cast<float>(known);
  query_ = index.prepare(mean.data());
  return true;
}

std::uint64_t* RankCall::allowed_rows() {
  if (allowed_ == nullptr) {
    const std::span<std::uint64_t> words = arena_.array<std::uint64_t>(bitmap_words(items_.size()));
    fill_bits(words, items_.size());
    allowed_ = words.data();
  }
  return allowed_;
}

bool RankCall::restrict_rows() {
  if (request_.filter) {
    table::FilterError mistake;
    const std::span<std::uint64_t> passing =
        table::filter_rows(*request_.filter, items_.columns(), arena_, mistake);
    if (mistake.message != nullptr) {
      return reject({"filter: ", mistake.name, mistake.name.empty() ? "" : ": ", mistake.message,
                     ", at byte ", decimal(arena_, static_cast<std::int64_t>(mistake.offset)),
                     "; attributes to filter by: ",
                     items_.columns().names().empty() ? "none" : std::string_view(items_.columns().names())});
    }
    if (allowed_ == nullptr) {
      allowed_ = passing.data();
    } else {
      for (std::size_t i = 0; i < passing.size(); ++i) allowed_[i] &= passing[i];
    }
  }
  if (!request_.exclude) return true;
  std::size_t position = 0;
  for (const json::Value id : request_.exclude->array()) {
    std::optional<std::uint32_t> row;
    if (!find_row(items_.ids(), id, {"exclude", position++}, row)) return false;
    if (row) clear_bit(allowed_rows(), *row);
  }
  return true;
}

bool RankCall::find_candidates() {
  if (request_.candidates) return take_sent_candidates();
  const std::size_t n = std::max(request_.n_candidates.value_or(engine_.settings().n_candidates), request_.k);
  if (!query_) {
    if (engine_.settings().fallback == Fallback::error) {
      return reject(
          {"no query vector: the user and the liked items are unknown, and this bundle has no fallback"});
    }
    take_popular(n);
    return true;
  }
  const std::span<const retrieval::Hit> hits = engine_.index()->search(*query_, n, allowed_, arena_);
  const std::span<std::uint32_t> rows = arena_.array<std::uint32_t>(hits.size());
  const std::span<float> similarities = arena_.array<float>(hits.size());
  for (std::size_t i = 0; i < hits.size(); ++i) {
    rows[i] = hits[i].row;
    similarities[i] = hits[i].score;
  }
  rows_ = rows;
  similarities_ = similarities;
  return true;
}

void RankCall::take_popular(std::size_t n) {
  fallback_ = "popular";
  const std::span<std::uint32_t> rows = arena_.array<std::uint32_t>(std::min(n, items_.size()));
  std::size_t found = 0;
  for (const std::uint32_t row : items_.popular()) {
    if (found == rows.size()) break;
    if (allowed_ == nullptr || test_bit(allowed_, row)) rows[found++] = row;
  }
  rows_ = rows.first(found);
}

// An id sent twice counts once; a candidate's own attributes stand over those of the table.
bool RankCall::take_sent_candidates() {
  const std::size_t n = request_.candidates->size();
  const std::span<std::uint32_t> rows = arena_.array<std::uint32_t>(n);
  const std::span<const std::uint32_t*> cells = arena_.array<const std::uint32_t*>(n);
  const std::span<const std::uint64_t*> hashes = arena_.array<const std::uint64_t*>(n);
  const std::span<json::Value> unknown{static_cast<json::Value*>(arena_.allocate(n * sizeof(json::Value))),
                                       n};
  std::size_t known = 0;
  std::size_t n_unknown = 0;
  std::size_t position = 0;
  for (const json::Value candidate : request_.candidates->array()) {
    const Place place{"candidates", position++};
    const bool is_object = candidate.is(json::Type::object);
    const std::optional<json::Value> id = is_object ? candidate.find("id") : candidate;
    if (!id) return reject({place_text(arena_, place), ": the object has no id"});
    std::optional<std::uint32_t> row;
    if (!find_row(items_.ids(), *id, place, row)) return false;
    if (!row) {
      unknown[n_unknown++] = *id;
      continue;
    }
    if (!test_bit(allowed_rows(), *row)) continue;
    clear_bit(allowed_rows(), *row);
    rows[known] = *row;
    cells[known] = items_.cells(*row);
    hashes[known] = items_.hashes(*row);
    if (is_object && candidate.size() > 1 && !override_item(candidate, place, cells[known], hashes[known])) {
      return false;
    }
    ++known;
  }
  rows_ = rows.first(known);
  item_cells_ = cells.first(known);
  item_hashes_ = hashes.first(known);
  unknown_ids_ = unknown.first(n_unknown);
  if (query_) add_similarities(rows_);
  return true;
}

bool RankCall::override_item(json::Value candidate, Place place, const std::uint32_t*& cells,
                             const std::uint64_t*& hashes) {
  const features::SourceEncoder& encoder = features_.encoder(features::Source::item);
  const EncodedRow copy = new_row(encoder);
  std::copy_n(cells, encoder.n_cells(), copy.cells);
  std::copy_n(hashes, encoder.n_hashes(), copy.hashes);
  cells = copy.cells;
  hashes = copy.hashes;
  return apply_attributes(engine_, encoder, candidate, place, arena_, copy, failure_);
}

void RankCall::add_similarities(std::span<const std::uint32_t> rows) {
  const std::span<float> similarities = arena_.array<float>(rows.size());
  engine_.index()->scores(*query_, rows, similarities.data());
  similarities_ = similarities;
}

// A short request can stand for much memory where there are very many features.
bool RankCall::check_size() {
  if (rows_.size() * features_.n_features() <= kMaxCells) return true;
  return reject({request_.candidates ? "candidates: " : "n_candidates: ",
                 decimal(arena_, static_cast<std::int64_t>(rows_.size())), " candidates of ",
                 decimal(arena_, static_cast<std::int64_t>(features_.n_features())), " features, at most ",
                 decimal(arena_, static_cast<std::int64_t>(kMaxCells)), " values are taken"});
}

void RankCall::assemble() {
  const std::size_t n = rows_.size();
  if (item_cells_.empty() && n != 0) {
    item_cells_ = arena_.array<const std::uint32_t*>(n);
    item_hashes_ = arena_.array<const std::uint64_t*>(n);
    for (std::size_t i = 0; i < n; ++i) {
      item_cells_[i] = items_.cells(rows_[i]);
      item_hashes_[i] = items_.hashes(rows_[i]);
    }
  }
  const std::span<std::uint32_t> request_row = arena_.array<std::uint32_t>(features_.n_features());
  features_.assemble_request(user_.cells, user_.hashes, context_.cells, context_.hashes, request_row.data());
  matrix_ = arena_.array<std::uint32_t>(n * features_.n_features());
  features_.assemble_items(request_row.data(), user_.hashes, context_.hashes, item_cells_.data(),
                           item_hashes_.data(), similarities_.empty() ? nullptr : similarities_.data(), n,
                           matrix_.data());
}

bool RankCall::score() {
  const std::size_t n = rows_.size();
  scores_ = arena_.array<double>(n);
  if (n != 0 && !engine_.ranker().predict(matrix_.data(), n, scores_.data(), arena_)) {
    failure_ = {Failure::Kind::internal, "the ranker failed"};
    return false;
  }
  if (std::all_of(scores_.begin(), scores_.end(), [](double score) { return std::isfinite(score); }))
    return true;
  failure_ = {Failure::Kind::internal, "the ranker returned a score that is not finite"};
  return false;
}

// The place of list rules: what changes an order after scoring (caps per attribute, pins, boosts, diversity,
// offset) acts here, on all scored candidates, before the best k are cut.
void RankCall::select(RankResult& result) {
  const std::span<const std::uint32_t> order = top_k(scores_, rows_, request_.k, arena_);
  const std::span<std::uint32_t> rows = arena_.array<std::uint32_t>(order.size());
  const std::span<double> scores = arena_.array<double>(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    rows[i] = rows_[order[i]];
    scores[i] = scores_[order[i]];
  }
  result.rows = rows;
  result.scores = scores;
}

bool Engine::rank(std::string_view body, Arena& arena, RankResult& result, Failure& failure) const {
  if (!items_) {
    failure = {Failure::Kind::bad_request, "this bundle has no items to rank, it scores rows"};
    counters().count_error(telemetry::Route::rank);
    return false;
  }
  RankCall call(*this, arena, failure);
  if (!call.run(body, result)) {
    counters().count_error(telemetry::Route::rank);
    return false;
  }
  if (!result.fallback.empty()) counters().count_fallback();
  return true;
}

}  // namespace shortlist::pipeline
