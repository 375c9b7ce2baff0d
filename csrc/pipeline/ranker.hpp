// What scores rows of features: compiled trees, or a network that runs elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/arena.hpp"

namespace shortlist::pipeline {

class Ranker {
 public:
  Ranker() = default;
  virtual ~Ranker() = default;
  Ranker(const Ranker&) = delete;
  Ranker& operator=(const Ranker&) = delete;

  [[nodiscard]] virtual std::size_t n_features() const noexcept = 0;
  [[nodiscard]] virtual std::size_t n_outputs() const noexcept = 0;
  [[nodiscard]] virtual std::span<const std::string> feature_names() const noexcept = 0;
  // rows: n x n_features cells of 4 bytes; out: n x n_outputs. False where scoring failed.
  // Throws only std::bad_alloc.
  [[nodiscard]] virtual bool predict(const std::uint32_t* rows, std::size_t n, double* out,
                                     Arena& arena) const = 0;
};

}  // namespace shortlist::pipeline
