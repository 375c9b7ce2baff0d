// Compiled trees as a bundle's ranker.
#pragma once

#include <string>
#include <vector>

#include "bundle/safetensors.hpp"
#include "pipeline/ranker.hpp"
#include "trees/forest.hpp"

namespace shortlist::pipeline {

class ForestRanker final : public Ranker {
 public:
  // Throws Error naming the file.
  ForestRanker(const Directory& directory, const std::string& file, bool raw_score);

  [[nodiscard]] std::size_t n_features() const noexcept override { return forest_.n_features(); }
  [[nodiscard]] std::size_t n_outputs() const noexcept override { return forest_.n_outputs(); }
  [[nodiscard]] std::span<const std::string> feature_names() const noexcept override {
    return feature_names_;
  }
  [[nodiscard]] bool predict(const std::uint32_t* rows, std::size_t n, double* out,
                             Arena& arena) const override;

 private:
  explicit ForestRanker(const TensorFile& file, bool raw_score);

  trees::Forest forest_;
  std::vector<std::string> feature_names_;
  bool raw_score_;
};

}  // namespace shortlist::pipeline
