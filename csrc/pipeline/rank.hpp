// The way of one rank request: user, query vector, candidates, features, scores, list rules, top k.
#pragma once

#include "pipeline/attributes.hpp"
#include "pipeline/engine.hpp"
#include "pipeline/request.hpp"
#include "pipeline/stage_clock.hpp"

namespace shortlist::pipeline {

// One request on one thread; everything it makes lies in the arena. Each step returns false on a failure.
class RankCall {
 public:
  RankCall(const Engine& engine, Arena& arena, Failure& failure)
      : engine_(engine),
        features_(*engine.features()),
        items_(*engine.items()),
        arena_(arena),
        failure_(failure) {}

  [[nodiscard]] bool run(std::string_view body, RankResult& result);

 private:
  [[nodiscard]] bool reject(std::initializer_list<std::string_view> message);
  [[nodiscard]] bool resolve_user();
  [[nodiscard]] bool encode_context();
  [[nodiscard]] bool find_query();
  [[nodiscard]] bool take_query(QuerySource source);
  void take_user_vector(std::size_t row);
  [[nodiscard]] bool take_request_vector();
  [[nodiscard]] bool take_mean_of_liked();
  [[nodiscard]] bool restrict_rows();
  [[nodiscard]] bool find_candidates();
  [[nodiscard]] bool take_sent_candidates();
  // Points to a copy of an item's encoded row that the candidate's own attributes changed.
  [[nodiscard]] bool override_item(json::Value candidate, Place place, const std::uint32_t*& cells,
                                   const std::uint64_t*& hashes);
  void take_popular(std::size_t n);
  void add_similarities(std::span<const std::uint32_t> rows);
  [[nodiscard]] bool check_size();
  void assemble();
  [[nodiscard]] bool score();
  void select(RankResult& result);

  // The row of an id of a request, nothing where the table lacks it. False where its type is wrong.
  [[nodiscard]] bool find_row(const table::IdMap& ids, json::Value id, Place where,
                              std::optional<std::uint32_t>& row);
  [[nodiscard]] EncodedRow new_row(const features::SourceEncoder& encoder);
  [[nodiscard]] std::uint64_t* allowed_rows();

  const Engine& engine_;
  const features::FeatureSet& features_;
  const ItemTable& items_;
  Arena& arena_;
  Failure& failure_;
  StageClock clock_;

  RankRequest request_;
  std::optional<std::uint32_t> user_row_;
  EncodedRow user_{};
  EncodedRow context_{};
  std::optional<retrieval::Query> query_;
  std::uint64_t* allowed_ = nullptr;  // bitmap of rows; null for all
  std::span<const std::uint32_t> rows_;
  std::span<const float> similarities_;         // empty without a query vector
  std::span<const std::uint32_t*> item_cells_;  // of candidates with attributes of their own, else empty
  std::span<const std::uint64_t*> item_hashes_;
  std::span<const json::Value> unknown_ids_;
  std::string_view fallback_;
  std::span<std::uint32_t> matrix_;  // rows_.size() x n_features
  std::span<double> scores_;
};

}  // namespace shortlist::pipeline
