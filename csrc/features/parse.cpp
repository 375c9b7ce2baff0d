// features.json to definitions: {"version": 1, "features": [{"kind", "name", "block", ...}]}, no key more or
// less.
#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "features/definition.hpp"
#include "json/load.hpp"

namespace shortlist::features {
namespace {

constexpr std::string_view kFile = "features.json";

constexpr std::array<std::pair<std::string_view, FeatureKind>, 5> kKinds = {
    {{"numeric", FeatureKind::numeric},
     {"categorical", FeatureKind::categorical},
     {"hashed", FeatureKind::hashed},
     {"cross", FeatureKind::cross},
     {"similarity", FeatureKind::similarity}}};

using json::Type;
using Json = json::Value;

// One JSON object whose keys are asked for by name; what is wrong is said with the place it stands in.
class Entry {
 public:
  Entry(Json object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object_.is(Type::object))
      reject(std::string("expected an object, found ") + type_name(object_.type()));
  }

  [[noreturn]] void reject(const std::string& why) const {
    throw Error(ErrorCode::invalid_format, std::string(kFile) + ": " + where_ + why);
  }
  void rename(std::string where) { where_ = std::move(where); }

  // Exactly these keys, each once.
  void check_keys(std::initializer_list<std::string_view> keys) const {
    std::size_t found = 0;
    for (const json::Member member : object_.object()) {
      if (std::find(keys.begin(), keys.end(), member.key) == keys.end()) {
        reject("unknown key '" + std::string(member.key) + "'");
      }
      ++found;
    }
    for (const std::string_view key : keys) (void)get(key);
    if (found != keys.size()) reject("a key occurs twice");
  }

  [[nodiscard]] Json get(std::string_view key) const {
    const std::optional<Json> value = object_.find(key);
    if (!value) reject("key '" + std::string(key) + "' is missing");
    return *value;
  }
  [[nodiscard]] Json get(std::string_view key, Type type) const {
    const Json value = get(key);
    if (!value.is(type)) wrong(key, json::type_name(type), value);
    return value;
  }
  [[nodiscard]] std::string text(std::string_view key) const {
    return std::string(get(key, Type::string).string());
  }
  [[nodiscard]] double number(std::string_view key) const {
    const Json value = get(key);
    if (!value.is_number()) wrong(key, "a number", value);
    return value.number();
  }
  [[nodiscard]] std::uint64_t count(std::string_view key) const {
    const std::int64_t value = get(key, Type::integer).integer();
    if (value < 0)
      reject("key '" + std::string(key) + "' must not be negative, it is " + std::to_string(value));
    return static_cast<std::uint64_t>(value);
  }
  [[nodiscard]] std::vector<std::string> texts(std::string_view key) const {
    const Json list = get(key, Type::array);
    std::vector<std::string> texts;
    texts.reserve(list.size());
    for (const Json element : list.array()) {
      if (!element.is(Type::string)) wrong(key, "strings only", element);
      texts.emplace_back(element.string());
    }
    return texts;
  }

 private:
  [[noreturn]] void wrong(std::string_view key, const char* expected, Json found) const {
    reject("key '" + std::string(key) + "': expected " + expected + ", found " +
           json::type_name(found.type()));
  }

  Json object_;
  std::string where_;
};

void read_numeric(const Entry& entry, FeatureDefinition& definition) {
  entry.check_keys({"kind", "name", "block", "field", "missing", "scale", "offset", "divisor"});
  definition.fields = {entry.text("field")};
  definition.offset = entry.number("offset");
  definition.divisor = entry.number("divisor");
  const Json missing = entry.get("missing");
  if (missing.is_number()) {
    definition.missing = missing.number();
  } else if (!missing.is(Type::string) || missing.string() != "nan") {
    entry.reject("key 'missing' must be \"nan\" or a number");
  }
  const Json scale = entry.get("scale");  // how the numbers came about; the numbers are what counts
  const bool known = scale.is(Type::null) ||
                     (scale.is(Type::string) && (scale.string() == "standard" || scale.string() == "minmax"));
  if (!known) entry.reject("key 'scale' must be null, \"standard\" or \"minmax\"");
}

FeatureKind read_kind(const Entry& entry) {
  const std::string text = entry.text("kind");
  for (const auto& [name, kind] : kKinds) {
    if (name == text) return kind;
  }
  entry.reject("unknown kind '" + text + "', expected numeric, categorical, hashed, cross or similarity");
}

FeatureDefinition read_definition(Json value, std::size_t position) {
  Entry entry(value, "feature " + std::to_string(position) + ": ");
  FeatureDefinition definition;
  definition.name = entry.text("name");
  entry.rename("feature '" + definition.name + "': ");
  definition.kind = read_kind(entry);
  definition.block = entry.text("block");
  switch (definition.kind) {
    case FeatureKind::numeric:
      read_numeric(entry, definition);
      break;
    case FeatureKind::categorical:
      entry.check_keys({"kind", "name", "block", "field", "vocabulary"});
      definition.fields = {entry.text("field")};
      definition.vocabulary = entry.texts("vocabulary");
      break;
    case FeatureKind::hashed:
      entry.check_keys({"kind", "name", "block", "field", "buckets", "seed"});
      definition.fields = {entry.text("field")};
      break;
    case FeatureKind::cross:
      entry.check_keys({"kind", "name", "block", "fields", "buckets", "seed"});
      definition.fields = entry.texts("fields");
      break;
    case FeatureKind::similarity:
      entry.check_keys({"kind", "name", "block"});
      break;
  }
  if (definition.kind == FeatureKind::hashed || definition.kind == FeatureKind::cross) {
    definition.buckets = entry.count("buckets");
    definition.seed = entry.count("seed");
  }
  return definition;
}

}  // namespace

std::vector<FeatureDefinition> parse_definitions(std::string_view text) {
  const json::Document document(text, std::string(kFile));
  const Entry root(document.root(), "");
  const std::int64_t version = root.get("version", Type::integer).integer();
  if (version != 1) {
    throw Error(ErrorCode::unsupported, std::string(kFile) + ": version " + std::to_string(version) +
                                            " is not read by this release, only version 1");
  }
  root.check_keys({"version", "features"});
  const Json list = root.get("features", Type::array);
  std::vector<FeatureDefinition> definitions;
  definitions.reserve(list.size());
  for (const Json entry : list.array()) definitions.push_back(read_definition(entry, definitions.size()));
  return definitions;
}

}  // namespace shortlist::features
