#include "retrieval/list_builder.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "base/error.hpp"
#include "base/thread_pool.hpp"
#include "retrieval/encode.hpp"

namespace shortlist::retrieval {
namespace {

constexpr std::size_t kBlockRows = 512;  // of one task
constexpr double kUp = 1.0 + 1e-6;

// SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators".
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t below(std::uint64_t bound) noexcept {
    state_ += 0x9E3779B97F4A7C15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (z ^ (z >> 31)) % bound;
  }

 private:
  std::uint64_t state_;
};

// `wanted` distinct rows of n, in random order.
std::vector<std::uint32_t> sample_rows(std::size_t n, std::size_t wanted, std::uint64_t seed) {
  std::vector<std::uint32_t> rows(n);
  std::iota(rows.begin(), rows.end(), 0u);
  Random random(seed);
  for (std::size_t i = 0; i < wanted; ++i) std::swap(rows[i], rows[i + random.below(n - i)]);
  rows.resize(wanted);
  return rows;
}

// Rows by list, ascending within each: list l has rows[begins[l]] up to rows[begins[l + 1]].
struct RowsByList {
  std::vector<std::uint32_t> begins, rows;
};
RowsByList group_rows(std::span<const std::uint32_t> lists, std::size_t n_lists) {
  RowsByList grouped;
  grouped.begins.assign(n_lists + 1, 0);
  for (const std::uint32_t list : lists) ++grouped.begins[list + 1];
  std::partial_sum(grouped.begins.begin(), grouped.begins.end(), grouped.begins.begin());
  grouped.rows.resize(lists.size());
  std::vector<std::uint32_t> next(grouped.begins.begin(), grouped.begins.end() - 1);
  for (std::uint32_t row = 0; row < lists.size(); ++row) grouped.rows[next[lists[row]]++] = row;
  return grouped;
}

template <class T>
AlignedBuffer<T> filled(std::size_t size, T value) {
  AlignedBuffer<T> buffer(size);
  std::fill(buffer.span().begin(), buffer.span().end(), value);
  return buffer;
}

std::size_t groups_of(std::size_t n) noexcept { return (n + kGroupVectors - 1) / kGroupVectors; }

}  // namespace

ListBuilder::ListBuilder(const FlatIndex& vectors, std::size_t n_lists, std::size_t points_per_list,
                         std::uint64_t seed, std::size_t n_threads)
    : vectors_(vectors),
      dim_(vectors.dim()),
      n_chunks_((vectors.dim() + kChunkDims - 1) / kChunkDims),
      n_lists_(n_lists),
      n_threads_(n_threads),
      seed_(seed),
      lists_(AlignedBuffer<std::uint32_t>::zeroed(vectors.size())) {
  const std::size_t n = vectors.size();
  if (dim_ > kMaxCodedDim) {
    throw Error(
        ErrorCode::invalid_argument,
        "vectors: " + std::to_string(dim_) + " dimensions, expected at most " + std::to_string(kMaxCodedDim));
  }
  if (n_lists == 0 || n_lists > std::max<std::size_t>(n, 1)) {
    throw Error(ErrorCode::invalid_argument, "n_lists: got " + std::to_string(n_lists) + ", expected 1 to " +
                                                 std::to_string(std::max<std::size_t>(n, 1)));
  }
  origin_ = AlignedBuffer<float>::zeroed(dim_);
  centroids_ = AlignedBuffer<float>::zeroed(n_lists * dim_);
  n_sample_ = n_lists == 1 ? std::min<std::size_t>(n, 65536) : std::min(n, n_lists * points_per_list);
  const std::vector<std::uint32_t> rows = sample_rows(n, n_sample_, seed);
  std::vector<double> sums(dim_, 0.0);
  std::vector<float> vector(dim_);
  for (const std::uint32_t row : rows) {
    centred(row, vector.data());
    for (std::size_t j = 0; j < dim_; ++j) sums[j] += static_cast<double>(vector[j]);
  }
  if (n_sample_ == 0) return;
  for (std::size_t j = 0; j < dim_; ++j)
    origin_[j] = static_cast<float>(sums[j] / static_cast<double>(n_sample_));
  if (n_lists == 1) return;
  sample_ = AlignedBuffer<float>(n_sample_ * dim_);
  for (std::size_t i = 0; i < n_sample_; ++i) centred(rows[i], sample_.data() + i * dim_);
  std::copy_n(sample_.data(), n_lists * dim_, centroids_.data());
}

void ListBuilder::centred(std::size_t row, float* out) const noexcept {
  const float* const vector = vectors_.vector(row);
  const float factor = vectors_.inverse_norm(row);
  for (std::size_t j = 0; j < dim_; ++j) out[j] = vector[j] * factor - origin_[j];
}

ListBuilder::CodedCentroids ListBuilder::code_centroids() const {
  const std::size_t n_groups = groups_of(n_lists_);
  const std::size_t group_bytes = n_chunks_ * kChunkBytes;
  CodedCentroids coded{filled<std::uint8_t>(n_groups * group_bytes, 128),
                       filled(n_groups * kGroupVectors, 0.0f), filled(n_groups * kGroupVectors, 0.0f),
                       filled(n_groups, 0.0f)};
  std::vector<std::int8_t> codes(n_chunks_ * kChunkDims);
  for (std::size_t l = 0; l < n_lists_; ++l) {
    const float* const centroid = centroids_.data() + l * dim_;
    coded.scales[l] = quantise(centroid, dim_, codes.size(), codes.data());
    coded.biases[l] = bounded(-0.5 * squared_norm(centroid, dim_));
    interleave(codes.data(), n_chunks_, l % kGroupVectors,
               coded.codes.data() + l / kGroupVectors * group_bytes);
    float& margin = coded.margins[l / kGroupVectors];
    margin = std::max(margin, code_error(centroid, codes.data(), coded.scales[l], dim_));
  }
  return coded;
}

void ListBuilder::nearest(const float* vectors, std::size_t n, const CodedCentroids& centroids,
                          std::uint32_t* lists) const {
  const std::size_t n_codes = n_chunks_ * kChunkDims;
  AlignedBuffer<std::int8_t> codes(n * n_codes);
  std::vector<std::int32_t> corrections(n);
  std::vector<float> scales(n);
  for (std::size_t i = 0; i < n; ++i) {
    scales[i] = quantise(vectors + i * dim_, dim_, n_codes, codes.data() + i * n_codes);
    corrections[i] = correction_of(codes.data() + i * n_codes, n_codes);
  }
  const CodedGroups groups{centroids.codes.data(),
                           centroids.scales.data(),
                           centroids.biases.data(),
                           nullptr,
                           nullptr,
                           n_lists_,
                           n_chunks_};
  active_code_kernels().best_slots(groups, codes.data(), corrections.data(), scales.data(), n, lists);
}

void ListBuilder::train() {
  if (n_lists_ == 1) return;
  const CodedCentroids coded = code_centroids();
  std::vector<std::uint32_t> lists(n_sample_);
  parallel_for((n_sample_ + kBlockRows - 1) / kBlockRows, n_threads_, [&](std::size_t block) {
    const std::size_t first = block * kBlockRows;
    const std::size_t n = std::min(kBlockRows, n_sample_ - first);
    nearest(sample_.data() + first * dim_, n, coded, lists.data() + first);
  });
  move_centroids(lists);
  coded_is_current_ = false;
}

// To the mean of its points; one without points becomes a random one.
void ListBuilder::move_centroids(std::span<const std::uint32_t> lists) {
  const RowsByList grouped = group_rows(lists, n_lists_);
  Random random(++seed_);
  std::vector<std::size_t> replacements(n_lists_, 0);
  for (std::size_t l = 0; l < n_lists_; ++l) {
    if (grouped.begins[l] == grouped.begins[l + 1]) replacements[l] = random.below(n_sample_);
  }
  parallel_for(n_lists_, n_threads_, [&](std::size_t l) {
    float* const centroid = centroids_.data() + l * dim_;
    const std::size_t begin = grouped.begins[l];
    const std::size_t end = grouped.begins[l + 1];
    if (begin == end) {
      std::copy_n(sample_.data() + replacements[l] * dim_, dim_, centroid);
      return;
    }
    std::fill_n(centroid, dim_, 0.0f);
    const float weight = 1.0f / static_cast<float>(end - begin);
    for (std::size_t i = begin; i < end; ++i) {
      const float* const point = sample_.data() + grouped.rows[i] * dim_;
      for (std::size_t j = 0; j < dim_; ++j) centroid[j] += point[j] * weight;
    }
  });
}

void ListBuilder::assign(std::size_t first, std::size_t last) {
  if (n_lists_ == 1) return;
  if (!coded_is_current_) {
    coded_ = code_centroids();
    coded_is_current_ = true;
  }
  const std::size_t n = last - first;
  parallel_for((n + kBlockRows - 1) / kBlockRows, n_threads_, [&](std::size_t block) {
    const std::size_t begin = first + block * kBlockRows;
    const std::size_t size = std::min(kBlockRows, last - begin);
    std::vector<float> vectors(size * dim_);
    for (std::size_t i = 0; i < size; ++i) centred(begin + i, vectors.data() + i * dim_);
    nearest(vectors.data(), size, coded_, lists_.data() + begin);
  });
}

OwnedLists ListBuilder::finish() const {
  const std::size_t n = vectors_.size();
  const bool l2 = vectors_.metric() == Metric::l2;
  const RowsByList grouped = group_rows(lists_.span(), n_lists_);
  OwnedLists out;
  out.origin = AlignedBuffer<float>(dim_);
  std::copy_n(origin_.data(), dim_, out.origin.data());
  out.centroids = AlignedBuffer<float>(n_lists_ * dim_);
  std::copy_n(centroids_.data(), n_lists_ * dim_, out.centroids.data());
  out.list_radii = filled(n_lists_, 0.0f);
  out.list_spreads = filled(groups_of(n_lists_) * kGroupVectors, 0.0f);
  out.begins = AlignedBuffer<std::uint32_t>::zeroed(n_lists_ + 1);
  out.sizes = AlignedBuffer<std::uint32_t>::zeroed(n_lists_);
  for (std::size_t l = 0; l < n_lists_; ++l) {
    out.sizes[l] = grouped.begins[l + 1] - grouped.begins[l];
    out.begins[l + 1] = out.begins[l] + static_cast<std::uint32_t>(groups_of(out.sizes[l]));
  }
  const std::size_t n_groups = out.begins[n_lists_];
  out.rows = filled(n_groups * kGroupVectors, std::uint32_t{0});
  out.codes = filled<std::uint8_t>(n_groups * n_chunks_ * kChunkBytes, 128);
  out.scales = filled(n_groups * kGroupVectors, 0.0f);
  if (l2) out.biases = filled(n_groups * kGroupVectors, 0.0f);
  out.radii = filled(n_groups, 0.0f);
  out.errors = filled(n_groups, 0.0f);
  CodedCentroids coded = code_centroids();
  out.centroid_codes = std::move(coded.codes);
  out.centroid_scales = std::move(coded.scales);
  if (l2) out.centroid_biases = std::move(coded.biases);
  out.centroid_margins = std::move(coded.margins);
  parallel_for(n_lists_, n_threads_, [&](std::size_t l) {
    fill_list(l, std::span(grouped.rows).subspan(grouped.begins[l], out.sizes[l]), out);
  });
  out.view.n_vectors = n;
  view(out);
  return out;
}

void ListBuilder::fill_list(std::size_t list, std::span<const std::uint32_t> rows, OwnedLists& out) const {
  const float* const centroid = centroids_.data() + list * dim_;
  const bool l2 = vectors_.metric() == Metric::l2;
  std::vector<float> residual(dim_);
  const auto take_residual = [&](std::uint32_t row) {
    centred(row, residual.data());
    for (std::size_t j = 0; j < dim_; ++j) residual[j] -= centroid[j];
  };
  struct Member {
    float radius;
    std::uint32_t row;
  };
  std::vector<Member> members;
  members.reserve(rows.size());
  double squares = 0.0;
  for (const std::uint32_t row : rows) {
    take_residual(row);
    const double squared = squared_norm(residual.data(), dim_);
    squares += squared;
    members.push_back({bounded(std::sqrt(squared) * kUp), row});
  }
  std::sort(members.begin(), members.end(), [](const Member& a, const Member& b) {
    return a.radius != b.radius ? a.radius > b.radius : a.row < b.row;
  });
  if (!members.empty()) {
    out.list_radii[list] = members.front().radius;
    const double n = static_cast<double>(members.size()) * static_cast<double>(dim_);
    out.list_spreads[list] = bounded(std::sqrt(squares / n));
  }
  std::vector<std::int8_t> codes(n_chunks_ * kChunkDims);
  for (std::size_t i = 0; i < members.size(); ++i) {
    const std::size_t slot = out.begins[list] * kGroupVectors + i;
    const std::size_t group = slot / kGroupVectors;
    take_residual(members[i].row);
    out.rows[slot] = members[i].row;
    out.scales[slot] = quantise(residual.data(), dim_, codes.size(), codes.data());
    interleave(codes.data(), n_chunks_, slot % kGroupVectors,
               out.codes.data() + group * n_chunks_ * kChunkBytes);
    out.radii[group] = std::max(out.radii[group], members[i].radius);
    out.errors[group] =
        std::max(out.errors[group], code_error(residual.data(), codes.data(), out.scales[slot], dim_));
    if (l2) {
      for (std::size_t j = 0; j < dim_; ++j) residual[j] += centroid[j];
      out.biases[slot] = bounded(-0.5 * squared_norm(residual.data(), dim_));
    }
  }
}

void ListBuilder::view(OwnedLists& lists) const noexcept {
  CodedLists& view = lists.view;
  view.dim = dim_;
  view.n_chunks = n_chunks_;
  view.n_lists = n_lists_;
  view.origin = lists.origin.span();
  view.centroids = lists.centroids.span();
  view.begins = lists.begins.span();
  view.sizes = lists.sizes.span();
  view.list_radii = lists.list_radii.span();
  view.list_spreads = lists.list_spreads.span();
  view.centroid_codes = lists.centroid_codes.span();
  view.centroid_scales = lists.centroid_scales.span();
  view.centroid_biases = lists.centroid_biases.span();
  view.centroid_margins = lists.centroid_margins.span();
  view.codes = lists.codes.span();
  view.scales = lists.scales.span();
  view.biases = lists.biases.span();
  view.rows = lists.rows.span();
  view.radii = lists.radii.span();
  view.errors = lists.errors.span();
  view.greatest_norm = greatest_norm_of(view);
}

}  // namespace shortlist::retrieval
