#include "retrieval/flat_index.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include "base/bitmap.hpp"
#include "base/error.hpp"

namespace shortlist::retrieval {
namespace {

constexpr std::size_t kBlockRows = 1024;  // a multiple of 64; scores of a block stay in the first-level cache

[[nodiscard]] float inverse_norm(const KernelTable& kernels, const float* vector, std::size_t dim) noexcept {
  float squared = 0.0f;
  kernels.dot_rows(vector, vector, 1, dim, &squared);
  return squared > 0.0f ? 1.0f / std::sqrt(squared) : 0.0f;
}

// Ascending order of keys is descending score, then ascending row. `score` is not -0.
[[nodiscard]] std::uint64_t key_of(float score, std::uint32_t row) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(score);
  const std::uint32_t rising = (bits >> 31) != 0 ? ~bits : bits | 0x80000000u;
  return static_cast<std::uint64_t>(~rising) << 32 | row;
}
[[nodiscard]] Hit hit_of(std::uint64_t key) noexcept {
  const auto rising = ~static_cast<std::uint32_t>(key >> 32);
  const std::uint32_t bits = (rising >> 31) != 0 ? rising & 0x7FFFFFFFu : ~rising;
  return {static_cast<std::uint32_t>(key), std::bit_cast<float>(bits)};
}

// Keeps the best k of all keys offered; the floor rises as better ones come.
class BestK {
 public:
  BestK(std::size_t k, Arena& arena) : k_(k), keys_(arena.array<std::uint64_t>(2 * k + kBlockRows)) {}

  [[nodiscard]] float floor() const noexcept { return floor_; }
  void offer(float score, std::uint32_t row) noexcept { keys_[size_++] = key_of(score, row); }
  // To be called when at most kBlockRows keys were offered since the last time.
  void shrink() noexcept {
    if (size_ < 2 * k_) return;
    select();
  }
  [[nodiscard]] std::span<std::uint64_t> sorted() noexcept {
    if (size_ > k_) select();
    std::sort(keys_.begin(), keys_.begin() + static_cast<std::ptrdiff_t>(size_));
    return keys_.first(size_);
  }

 private:
  void select() noexcept {
    std::nth_element(keys_.begin(), keys_.begin() + static_cast<std::ptrdiff_t>(k_ - 1),
                     keys_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ = k_;
    floor_ = hit_of(keys_[k_ - 1]).score;
  }

  std::size_t k_;
  std::span<std::uint64_t> keys_;
  std::size_t size_ = 0;
  float floor_ = -std::numeric_limits<float>::infinity();
};

}  // namespace

Metric metric_of(std::string_view name) {
  if (name == "ip") return Metric::ip;
  if (name == "cosine") return Metric::cosine;
  if (name == "l2") return Metric::l2;
  throw Error(ErrorCode::invalid_argument,
              "metric: got \"" + std::string(name) + "\", expected \"ip\", \"cosine\" or \"l2\"");
}

FlatIndex::FlatIndex(std::span<const float> vectors, std::size_t n_rows, std::size_t dim, Metric metric,
                     std::span<const float> inverse_norms)
    : vectors_(vectors),
      n_rows_(n_rows),
      dim_(dim),
      metric_(metric),
      inverse_norms_(inverse_norms),
      kernels_(&active_kernels()) {}

FlatIndex::FlatIndex(const TensorFile& file)
    : n_rows_(file.dim("vectors", 0)),
      dim_(file.dim("vectors", 1)),
      metric_(Metric::ip),
      kernels_(&active_kernels()) {
  const std::string* const kind = file.metadata("kind");
  const std::string* const metric = file.metadata("metric");
  if (kind == nullptr || metric == nullptr) {
    throw Error(ErrorCode::invalid_format, file.name() + ": the metadata lacks kind or metric");
  }
  if (*kind != "flat") {
    throw Error(ErrorCode::unsupported,
                file.name() + ": index kind \"" + *kind + "\", this version reads \"flat\"");
  }
  try {
    metric_ = metric_of(*metric);
  } catch (const Error& error) {
    throw Error(ErrorCode::invalid_format, file.name() + ": " + error.what());
  }
  vectors_ = file.get<float>("vectors", {n_rows_, dim_});
  if (n_rows_ >= UINT32_MAX || dim_ == 0 || dim_ > kMaxDim) {
    throw Error(ErrorCode::invalid_format,
                file.name() + ": tensor \"vectors\" has no columns, too many, or too many rows");
  }
  if (metric_ == Metric::cosine) inverse_norms_ = file.get<float>("inverse_norms", {n_rows_});
}

Query FlatIndex::prepare(const float* vector) const noexcept {
  return {vector, metric_ == Metric::cosine ? inverse_norm(*kernels_, vector, dim_) : 1.0f};
}

// No score is -0: sums of products never are, and adding to +0 makes the others +0.
void FlatIndex::block_scores(const Query& query, std::size_t first, std::size_t n,
                             float* out) const noexcept {
  const auto kernel = metric_ == Metric::l2 ? kernels_->l2sq_rows : kernels_->dot_rows;
  kernel(query.vector, vector(first), n, dim_, out);
  if (metric_ == Metric::l2) {
    for (std::size_t i = 0; i < n; ++i) out[i] = 0.0f - out[i];
  } else if (metric_ == Metric::cosine) {
    for (std::size_t i = 0; i < n; ++i)
      out[i] = 0.0f + out[i] * inverse_norms_[first + i] * query.inverse_norm;
  }
}

void FlatIndex::scores(const Query& query, std::span<const std::uint32_t> rows, float* out) const noexcept {
  for (std::size_t i = 0; i < rows.size(); ++i) block_scores(query, rows[i], 1, out + i);
}

std::span<Hit> FlatIndex::search(const Query& query, std::size_t k, const std::uint64_t* allowed,
                                 Arena& arena) const {
  k = std::min(k, n_rows_);
  if (k == 0) return {};
  const std::span<float> scores = arena.array<float>(kBlockRows);
  const std::span<std::uint32_t> passed = arena.array<std::uint32_t>(kBlockRows);
  BestK best(k, arena);
  for (std::size_t first = 0; first < n_rows_; first += kBlockRows) {
    const std::size_t n = std::min(kBlockRows, n_rows_ - first);
    if (allowed == nullptr) {
      block_scores(query, first, n, scores.data());
    } else {
      // Words of the mask without a row cost nothing; their scores are never looked at.
      for (std::size_t start = 0; start < n; start += 64) {
        if (allowed[(first + start) / 64] == 0) {
          std::fill_n(scores.data() + start, std::min<std::size_t>(64, n - start),
                      std::numeric_limits<float>::quiet_NaN());
        } else {
          block_scores(query, first + start, std::min<std::size_t>(64, n - start), scores.data() + start);
        }
      }
    }
    const std::size_t n_passed = kernels_->select_at_least(scores.data(), n, best.floor(), passed.data());
    for (std::size_t i = 0; i < n_passed; ++i) {
      const std::size_t row = first + passed[i];
      if (allowed == nullptr || test_bit(allowed, row))
        best.offer(scores[passed[i]], static_cast<std::uint32_t>(row));
    }
    best.shrink();
  }
  const std::span<const std::uint64_t> keys = best.sorted();
  const std::span<Hit> hits = arena.array<Hit>(keys.size());
  std::transform(keys.begin(), keys.end(), hits.begin(), hit_of);
  return hits;
}

void inverse_norms(std::span<const float> vectors, std::size_t n_rows, std::size_t dim, float* out) {
  const KernelTable& kernels = active_kernels();
  for (std::size_t i = 0; i < n_rows; ++i) out[i] = inverse_norm(kernels, vectors.data() + i * dim, dim);
}

}  // namespace shortlist::retrieval
