// A rank request as sent: fields checked for type and range, nothing looked up yet.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "json/reader.hpp"
#include "pipeline/failure.hpp"

namespace shortlist::pipeline {

inline constexpr std::size_t kMaxRequestBytes = std::size_t{8} << 20;
inline constexpr std::size_t kMaxK = 10'000;
inline constexpr std::size_t kMaxCandidates = 100'000;
inline constexpr std::size_t kMaxIds = 100'000;  // in like, exclude
inline constexpr std::size_t kMaxRequestIdBytes = 256;
inline constexpr std::size_t kMaxCells = std::size_t{1} << 28;  // of features, over all rows: 1 GiB

struct RankRequest {
  std::optional<json::Value> user;  // objects
  std::optional<json::Value> context;
  std::optional<json::Value> candidates;  // arrays
  std::optional<json::Value> like;
  std::optional<json::Value> vector;
  std::optional<json::Value> exclude;
  std::optional<std::string_view> filter;
  std::optional<std::string_view> request_id;
  std::size_t k = 0;
  std::optional<std::size_t> n_candidates;
};

// The root object of a body; on a mistake nothing and `failure` says what. Throws only std::bad_alloc.
[[nodiscard]] std::optional<json::Value> parse_body(std::string_view body, Arena& arena, Failure& failure);

// False on a mistake, which `failure` tells. Throws only std::bad_alloc.
[[nodiscard]] bool parse_rank_request(json::Value root, Arena& arena, RankRequest& request, Failure& failure);

// Shared by the fields of every route: a text of at most 256 bytes.
[[nodiscard]] bool parse_request_id(json::Value value, Arena& arena,
                                    std::optional<std::string_view>& request_id, Failure& failure);

}  // namespace shortlist::pipeline
