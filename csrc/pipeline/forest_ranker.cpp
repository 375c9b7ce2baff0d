#include "pipeline/forest_ranker.hpp"

#include "base/error.hpp"
#include "json/load.hpp"

namespace shortlist::pipeline {
namespace {

// Metadata "feature_names": a JSON array of texts.
std::vector<std::string> read_feature_names(const TensorFile& file) {
  const std::string* const text = file.metadata("feature_names");
  if (text == nullptr)
    throw Error(ErrorCode::invalid_format, file.name() + ": the metadata lacks feature_names");
  const json::Document document(*text, file.name() + ": feature_names");
  std::vector<std::string> names;
  if (document.root().is(json::Type::array)) {
    for (const json::Value name : document.root().array()) {
      if (name.is(json::Type::string)) names.emplace_back(name.string());
    }
  }
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
  forest_.predict(reinterpret_cast<const float*>(rows), n, raw_score_, out, scratch.data());
  return true;
}

}  // namespace shortlist::pipeline
