#include "pipeline/forest_ranker.hpp"

#include "base/error.hpp"
#include "json/load.hpp"

namespace shortlist::pipeline {
namespace {

void add_texts(const json::Value& array, std::vector<std::string>& names) {
  if (!array.is(json::Type::array)) return;
  for (const json::Value name : array.array()) {
    if (name.is(json::Type::string)) names.emplace_back(name.string());
  }
}

// Of the JSON object in tensor "description"; in format 1 a JSON array in the metadata.
std::vector<std::string> read_feature_names(const TensorFile& file) {
  std::vector<std::string> names;
  if (file.has("description")) {
    const auto text = file.get<char>("description", {TensorFile::kAny});
    const json::Document document({text.data(), text.size()}, file.name() + ": description");
    if (!document.root().is(json::Type::object))
      throw Error(ErrorCode::invalid_format, file.name() + ": description is no JSON object");
    if (const auto found = document.root().find("feature_names")) add_texts(*found, names);
    return names;
  }
  const std::string* const text = file.metadata("feature_names");
  if (text == nullptr) throw Error(ErrorCode::invalid_format, file.name() + ": it lacks a description");
  const json::Document document(*text, file.name() + ": feature_names");
  add_texts(document.root(), names);
  return names;
}

}  // namespace

ForestRanker::ForestRanker(const Directory& directory, const std::string& file, bool raw_score)
    : ForestRanker(TensorFile::open(directory, file), raw_score) {}

ForestRanker::ForestRanker(const TensorFile& file, bool raw_score)
    : forest_(trees::Forest::load(file)), feature_names_(read_feature_names(file)), raw_score_(raw_score) {
  if (feature_names_.size() != forest_.n_features()) {
    throw Error(ErrorCode::mismatch, file.name() + ": feature_names has " +
                                         std::to_string(feature_names_.size()) + " texts, the forest " +
                                         std::to_string(forest_.n_features()) + " features");
  }
}

bool ForestRanker::predict(const std::uint32_t* rows, std::size_t n, double* out, Arena& arena) const {
  const std::span<std::byte> scratch = arena.array<std::byte>(forest_.scratch_bytes(n));
  // The cells of a tree ranker's features are float32 bits.
  const trees::DenseRows<float> cells{reinterpret_cast<const float*>(rows), forest_.n_features()};
  forest_.predict(cells, n, forest_.default_rounds(), raw_score_, out, scratch.data());
  return true;
}

}  // namespace shortlist::pipeline
