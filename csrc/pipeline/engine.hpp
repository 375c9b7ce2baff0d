// A loaded bundle that answers requests: immutable, shared by any number of threads.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/xxh64.hpp"
#include "bundle/manifest.hpp"
#include "features/feature_set.hpp"
#include "features/text_table.hpp"
#include "pipeline/failure.hpp"
#include "pipeline/ranker.hpp"
#include "pipeline/tables.hpp"
#include "retrieval/flat_index.hpp"
#include "telemetry/counters.hpp"

namespace shortlist::pipeline {

// Where the query vector comes from; a bundle lists those it takes, first match first.
enum class QuerySource : std::uint8_t { vector, users, like };
// What an unknown user gets when no query vector is to be had.
enum class Fallback : std::uint8_t { popular, error };

struct Settings {
  std::vector<QuerySource> query;
  Fallback fallback = Fallback::popular;
  std::size_t n_candidates = 500;
  bool raw_score = false;
};

struct EngineOptions {
  bool strict = false;                            // unknown attributes are refused, not counted
  std::shared_ptr<telemetry::Counters> counters;  // null: memory of its own
  std::shared_ptr<const Ranker> external_ranker;  // for rankers that the core does not run itself
};

struct RankResult {
  std::span<const std::uint32_t> rows;       // of the item table, best first
  std::span<const double> scores;            // finite, descending; ties by the lower row
  std::string_view fallback;                 // "popular" where that is where the candidates came from
  std::span<const json::Value> unknown_ids;  // candidates that the item table lacks
  std::optional<std::string_view> request_id;
  telemetry::StageTimes times{};
};

struct ScoreResult {
  std::span<const double> scores;  // n_rows x n_outputs
  std::size_t n_rows = 0;
  std::optional<std::string_view> request_id;
  telemetry::StageTimes times{};
};

class Engine {
 public:
  // `folder` is one version of a bundle. Files are mapped and checked for bounds, not for checksums.
  // Throws Error naming the file.
  Engine(const std::string& folder, EngineOptions options);

  // Results live in `arena` until it is reset. False on a failure. Throw only std::bad_alloc; take no lock.
  [[nodiscard]] bool rank(std::string_view body, Arena& arena, RankResult& result, Failure& failure) const;
  [[nodiscard]] bool score(std::string_view body, Arena& arena, ScoreResult& result, Failure& failure) const;
  // The replies as JSON; the text lives in `arena`.
  [[nodiscard]] bool rank_json(std::string_view body, bool timings, Arena& arena, std::string_view& reply,
                               Failure& failure) const;
  [[nodiscard]] bool score_json(std::string_view body, Arena& arena, std::string_view& reply,
                                Failure& failure) const;

  [[nodiscard]] const std::string& name() const noexcept { return manifest_.name(); }
  [[nodiscard]] const std::string& version() const noexcept { return manifest_.version(); }
  [[nodiscard]] const Settings& settings() const noexcept { return settings_; }
  // Is this one of the bundle's sources of the query vector?
  [[nodiscard]] bool takes(QuerySource source) const noexcept;
  [[nodiscard]] bool strict() const noexcept { return options_.strict; }
  [[nodiscard]] telemetry::Counters& counters() const noexcept { return *options_.counters; }
  // Null where the bundle has no such part.
  [[nodiscard]] const features::FeatureSet* features() const noexcept {
    return features_ ? &*features_ : nullptr;
  }
  [[nodiscard]] const ItemTable* items() const noexcept { return items_ ? &*items_ : nullptr; }
  [[nodiscard]] const UserTable* users() const noexcept { return users_ ? &*users_ : nullptr; }
  [[nodiscard]] const retrieval::FlatIndex* index() const noexcept { return index_ ? &*index_ : nullptr; }
  [[nodiscard]] const Ranker& ranker() const noexcept { return *ranker_; }
  // The position of one of the ranker's features, for bundles without a feature set.
  [[nodiscard]] std::optional<std::size_t> find_feature(std::string_view name) const noexcept {
    return feature_positions_.find(name, xxh64(name));
  }

 private:
  Engine(const Directory& directory, EngineOptions options);
  void read_settings();
  void load_features(const Directory& directory);
  void load_tables(const Directory& directory);
  void load_index(const Directory& directory);
  void load_ranker(const Directory& directory);
  void check_parts() const;
  [[nodiscard]] const features::SourceEncoder* encoder(features::Source source) const noexcept;

  EngineOptions options_;
  Manifest manifest_;
  Settings settings_;
  std::optional<features::FeatureSet> features_;
  std::optional<ItemTable> items_;
  std::optional<UserTable> users_;
  std::optional<TensorFile> index_file_;
  std::optional<retrieval::FlatIndex> index_;
  std::shared_ptr<const Ranker> ranker_;
  features::TextTable feature_positions_;
};

}  // namespace shortlist::pipeline
