#include "pipeline/engine.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "pipeline/forest_ranker.hpp"

namespace shortlist::pipeline {
namespace {

QuerySource query_source(std::string_view name) {
  if (name == "vector") return QuerySource::vector;
  if (name == "users") return QuerySource::users;
  if (name == "like") return QuerySource::like;
  throw Error(ErrorCode::invalid_format, "bundle.json: settings: query: got \"" + std::string(name) +
                                             "\", expected \"vector\", \"users\" or \"like\"");
}

void check_kind(const Part& part, std::string_view expected) {
  if (part.kind != expected) {
    throw Error(ErrorCode::unsupported, "bundle.json: part \"" + part.role + "\" is of kind \"" + part.kind +
                                            "\", this version reads \"" + std::string(expected) + "\"");
  }
}

[[noreturn]] void mismatch(const std::string& why) { throw Error(ErrorCode::mismatch, why); }

}  // namespace

Engine::Engine(const std::string& folder, EngineOptions options)
    : Engine(Directory(folder), std::move(options)) {}

Engine::Engine(const Directory& directory, EngineOptions options)
    : options_(std::move(options)), manifest_(directory) {
  if (options_.counters == nullptr) options_.counters = std::make_shared<telemetry::Counters>("");
  read_settings();
  load_features(directory);
  load_tables(directory);
  load_index(directory);
  load_ranker(directory);
  check_parts();
}

bool Engine::takes(QuerySource source) const noexcept {
  return std::find(settings_.query.begin(), settings_.query.end(), source) != settings_.query.end();
}

const features::SourceEncoder* Engine::encoder(features::Source source) const noexcept {
  return features_ ? &features_->encoder(source) : nullptr;
}

void Engine::read_settings() {
  for (const json::Value name : manifest_.setting("query", json::Type::array).array()) {
    const QuerySource source = query_source(name.is(json::Type::string) ? name.string() : "");
    if (takes(source))
      throw Error(ErrorCode::invalid_format, "bundle.json: settings: query names a source twice");
    settings_.query.push_back(source);
  }
  const std::string_view fallback = manifest_.setting("fallback", json::Type::string).string();
  if (fallback != "popular" && fallback != "error") {
    throw Error(ErrorCode::invalid_format, "bundle.json: settings: fallback: got \"" + std::string(fallback) +
                                               "\", expected \"popular\" or \"error\"");
  }
  settings_.fallback = fallback == "popular" ? Fallback::popular : Fallback::error;
  const std::int64_t n_candidates = manifest_.setting("n_candidates", json::Type::integer).integer();
  if (n_candidates < 1 || n_candidates > 100'000) {
    throw Error(ErrorCode::invalid_format, "bundle.json: settings: n_candidates: got " +
                                               std::to_string(n_candidates) + ", expected 1 to 100000");
  }
  settings_.n_candidates = static_cast<std::size_t>(n_candidates);
  settings_.raw_score = manifest_.setting("raw_score", json::Type::boolean).boolean();
}

void Engine::load_features(const Directory& directory) {
  const Part* const part = manifest_.part("features");
  if (part == nullptr) return;
  check_kind(*part, "feature_set");
  const MappedFile file(directory, part->files.front());
  features_ = features::FeatureSet::from_json(file.text());
}

void Engine::load_tables(const Directory& directory) {
  if (const Part* const part = manifest_.part("items")) {
    check_kind(*part, "table");
    items_.emplace(directory, part->files.front(), encoder(features::Source::item));
  }
  if (const Part* const part = manifest_.part("users")) {
    check_kind(*part, "table");
    users_.emplace(directory, part->files.front(), encoder(features::Source::user));
  }
}

void Engine::load_index(const Directory& directory) {
  const Part* const part = manifest_.part("retriever");
  if (part == nullptr) return;
  check_kind(*part, "flat");
  index_file_ = TensorFile::open(directory, part->files.front());
  index_.emplace(*index_file_);
}

void Engine::load_ranker(const Directory& directory) {
  const Part* const part = manifest_.part("ranker");
  if (part == nullptr) throw Error(ErrorCode::not_found, "bundle.json: the bundle has no ranker");
  if (part->kind == "forest") {
    ranker_ = std::make_shared<ForestRanker>(directory, part->files.front(), settings_.raw_score);
  } else if (options_.external_ranker != nullptr) {
    ranker_ = options_.external_ranker;
  } else {
    check_kind(*part, "forest");
  }
  const auto other = [](const auto& block) { return !block.is_float; };
  if (part->kind == "forest" && features_ && std::ranges::any_of(features_->blocks(), other)) {
    mismatch("the ranker is a forest, which reads the block \"dense\" only; the feature set has others");
  }
  if (!features_) feature_positions_ = features::TextTable(ranker_->feature_names());
}

void Engine::check_parts() const {
  if (index_ && (!items_ || index_->size() != items_->size())) {
    mismatch("the retriever has " + std::to_string(index_->size()) + " vectors, the item table " +
             (items_ ? std::to_string(items_->size()) + " rows" : "is missing"));
  }
  if (users_ && index_ && users_->dim() != 0 && users_->dim() != index_->dim()) {
    mismatch("user vectors have " + std::to_string(users_->dim()) + " dimensions, the retriever's " +
             std::to_string(index_->dim()));
  }
  if (index_ && takes(QuerySource::users) && (!users_ || users_->dim() == 0)) {
    mismatch("the query vector comes from \"users\", but the bundle has no user vectors");
  }
  if (items_ && !features_) mismatch("the bundle has items but no features to rank them by");
  if (items_ && ranker_->n_outputs() != 1) {
    mismatch("the ranker has " + std::to_string(ranker_->n_outputs()) + " outputs, ranking takes one");
  }
  if (features_ && ranker_->n_features() != features_->n_features()) {
    mismatch("the ranker takes " + std::to_string(ranker_->n_features()) +
             " features, the feature set makes " + std::to_string(features_->n_features()));
  }
}

}  // namespace shortlist::pipeline
