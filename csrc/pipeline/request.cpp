#include "pipeline/request.hpp"

namespace shortlist::pipeline {
namespace {

[[nodiscard]] bool reject(Failure& failure, std::string_view message) {
  failure = {Failure::Kind::bad_request, message};
  return false;
}

[[nodiscard]] bool take(json::Value value, json::Type type, std::string_view field, Arena& arena,
                        std::optional<json::Value>& out, Failure& failure) {
  if (!value.is(type)) {
    return reject(failure, concatenate(arena, {field, ": got ", describe(arena, value), ", expected ",
                                               json::type_name(type)}));
  }
  out = value;
  return true;
}

[[nodiscard]] bool take_count(json::Value value, std::size_t limit, std::string_view field, Arena& arena,
                              std::size_t& out, Failure& failure) {
  if (!value.is(json::Type::integer) || value.integer() < 1 ||
      static_cast<std::size_t>(value.integer()) > limit) {
    return reject(failure, concatenate(arena, {field, ": got ", describe(arena, value),
                                               ", expected an integer from 1 to ",
                                               decimal(arena, static_cast<std::int64_t>(limit))}));
  }
  out = static_cast<std::size_t>(value.integer());
  return true;
}

[[nodiscard]] bool take_member(json::Member member, Arena& arena, RankRequest& request, Failure& failure) {
  const std::string_view key = member.key;
  const json::Value value = member.value;
  if (key == "user") return take(value, json::Type::object, key, arena, request.user, failure);
  if (key == "context") return take(value, json::Type::object, key, arena, request.context, failure);
  if (key == "candidates") return take(value, json::Type::array, key, arena, request.candidates, failure);
  if (key == "like") return take(value, json::Type::array, key, arena, request.like, failure);
  if (key == "vector") return take(value, json::Type::array, key, arena, request.vector, failure);
  if (key == "exclude") return take(value, json::Type::array, key, arena, request.exclude, failure);
  if (key == "k") return take_count(value, kMaxK, key, arena, request.k, failure);
  if (key == "request_id") return parse_request_id(value, arena, request.request_id, failure);
  if (key == "n_candidates") {
    return take_count(value, kMaxCandidates, key, arena, request.n_candidates.emplace(), failure);
  }
  if (key == "filter") {
    std::optional<json::Value> text;
    if (!take(value, json::Type::string, key, arena, text, failure)) return false;
    request.filter = text->string();
    return true;
  }
  return reject(failure,
                concatenate(arena, {"unknown field ", quote(arena, key),
                                    ", expected user, context, candidates, like, vector, exclude, filter, "
                                    "k, n_candidates or request_id"}));
}

[[nodiscard]] bool check_size(const std::optional<json::Value>& array, std::size_t limit,
                              std::string_view field, Arena& arena, Failure& failure) {
  if (!array || array->size() <= limit) return true;
  return reject(failure,
                concatenate(arena, {field, ": ", decimal(arena, array->size()), " elements, at most ",
                                    decimal(arena, static_cast<std::int64_t>(limit)), " are taken"}));
}

}  // namespace

bool parse_request_id(json::Value value, Arena& arena, std::optional<std::string_view>& request_id,
                      Failure& failure) {
  if (!value.is(json::Type::string) || value.size() > kMaxRequestIdBytes) {
    return reject(failure, concatenate(arena, {"request_id: got ", describe(arena, value),
                                               ", expected a string of at most 256 bytes"}));
  }
  request_id = value.string();
  return true;
}

std::optional<json::Value> parse_body(std::string_view body, Arena& arena, Failure& failure) {
  if (body.size() > kMaxRequestBytes) {
    failure = {Failure::Kind::bad_request,
               concatenate(arena, {"body: ", decimal(arena, static_cast<std::int64_t>(body.size())),
                                   " bytes, at most 8388608 (8 MiB) are taken"})};
    return std::nullopt;
  }
  json::ParseError mistake;
  const std::optional<json::Value> root = json::parse(body, arena, mistake);
  if (!root) {
    failure = {Failure::Kind::bad_request,
               concatenate(arena, {"body: not valid JSON at byte ",
                                   decimal(arena, static_cast<std::int64_t>(mistake.offset)), ": ",
                                   mistake.message})};
    return std::nullopt;
  }
  if (!root->is(json::Type::object)) {
    failure = {Failure::Kind::bad_request,
               concatenate(arena, {"body: got ", json::type_name(root->type()), ", expected an object"})};
    return std::nullopt;
  }
  return root;
}

bool parse_rank_request(json::Value root, Arena& arena, RankRequest& request, Failure& failure) {
  std::size_t position = 0;
  for (const json::Member member : root.object()) {
    std::size_t earlier = 0;
    for (const json::Member other : root.object()) {
      if (earlier++ == position) break;
      if (other.key == member.key) {
        return reject(failure, concatenate(arena, {"field ", quote(arena, member.key), " occurs twice"}));
      }
    }
    if (!take_member(member, arena, request, failure)) return false;
    ++position;
  }
  if (request.k == 0) return reject(failure, "k: missing, expected an integer from 1 to 10000");
  if (!request.user && !request.vector && !request.like && !request.candidates) {
    return reject(failure, "the request has none of user, vector, like and candidates, expected one of them");
  }
  if (request.n_candidates && request.candidates) {
    return reject(failure,
                  "n_candidates: sent with candidates, of which all are ranked; expected one of the two");
  }
  if (request.n_candidates && *request.n_candidates < request.k) {
    return reject(failure,
                  concatenate(arena, {"n_candidates: got ",
                                      decimal(arena, static_cast<std::int64_t>(*request.n_candidates)),
                                      ", expected at least k, which is ",
                                      decimal(arena, static_cast<std::int64_t>(request.k))}));
  }
  return check_size(request.candidates, kMaxCandidates, "candidates", arena, failure) &&
         check_size(request.like, kMaxIds, "like", arena, failure) &&
         check_size(request.exclude, kMaxIds, "exclude", arena, failure);
}

}  // namespace shortlist::pipeline
