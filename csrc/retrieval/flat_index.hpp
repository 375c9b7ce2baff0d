// Exact retrieval: the true float32 metric of a query against every vector, and the best k.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/arena.hpp"
#include "bundle/safetensors.hpp"
#include "kernels/kernels.hpp"

namespace shortlist::retrieval {

inline constexpr std::size_t kMaxDim = std::size_t{1} << 20;

// Scores are higher-is-better for every metric: inner product, cosine, minus the squared L2 distance.
enum class Metric : std::uint8_t { ip, cosine, l2 };

// Throws invalid_argument for anything but ip, cosine, l2.
[[nodiscard]] Metric metric_of(std::string_view name);

struct Hit {
  std::uint32_t row;
  float score;
};

// A query of `dim` floats with what its metric needs of it.
struct Query {
  const float* vector;
  float inverse_norm;  // 1 for ip and l2; 0 for a zero vector under cosine
};

class FlatIndex {
 public:
  // vectors: n x dim, row-major, finite; inverse_norms: n for cosine, else empty. Views: they must outlive
  // the index.
  FlatIndex(std::span<const float> vectors, std::size_t n_rows, std::size_t dim, Metric metric,
            std::span<const float> inverse_norms);
  // Tensors vectors and, for cosine, inverse_norms; metadata kind and metric.
  explicit FlatIndex(const TensorFile& file);

  [[nodiscard]] std::size_t size() const noexcept { return n_rows_; }
  [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
  [[nodiscard]] Metric metric() const noexcept { return metric_; }
  [[nodiscard]] const float* vector(std::size_t row) const noexcept { return vectors_.data() + row * dim_; }

  [[nodiscard]] Query prepare(const float* vector) const noexcept;
  // The metric for chosen rows; out has as many elements.
  void scores(const Query& query, std::span<const std::uint32_t> rows, float* out) const noexcept;
  // The best k by descending score, ties by the lower row; fewer where fewer pass. `allowed` is a bitmap of
  // rows, or null for all. The hits live in the arena. NaN scores are never hits. Throws only std::bad_alloc.
  [[nodiscard]] std::span<Hit> search(const Query& query, std::size_t k, const std::uint64_t* allowed,
                                      Arena& arena) const;

 private:
  void block_scores(const Query& query, std::size_t first, std::size_t n, float* out) const noexcept;

  std::span<const float> vectors_;
  std::size_t n_rows_;
  std::size_t dim_;
  Metric metric_;
  std::span<const float> inverse_norms_;
  const KernelTable* kernels_;
};

// 1 / |row| of each row in the kernels' order of additions, 0 for a zero row.
void inverse_norms(std::span<const float> vectors, std::size_t n_rows, std::size_t dim, float* out);

}  // namespace shortlist::retrieval
