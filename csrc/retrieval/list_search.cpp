#include "retrieval/list_search.hpp"

#include <algorithm>
#include <cmath>

#include "retrieval/encode.hpp"
#include "retrieval/list_order.hpp"
#include "retrieval/survivor_pool.hpp"

namespace shortlist::retrieval {
namespace {

constexpr float kGreatestProduct = 1e37f;
constexpr float kUp = 1.0f + 1e-5f;  // more than the roundings of a bound itself

// |vector| by 1 / |vector| in float32, which is 0 where the square overflowed, or is nearly 0.
[[nodiscard]] float norm_by_inverse(float inverse, const float* vector, std::size_t dim) noexcept {
  return inverse > 0.0f ? 1.0f / inverse : norm_bound(vector, dim);
}

// The greatest of <d, r> - |r|^2 / 2 over |d| = distance and |r| <= radius.
[[nodiscard]] float greatest_gain(float distance, float radius) noexcept {
  if (radius >= distance) return 0.5f * distance * distance;
  return radius * (distance - 0.5f * radius);
}

}  // namespace

ListSearch::ListSearch(const FlatIndex& vectors, const CodedLists& lists)
    : vectors_(vectors), lists_(lists), kernels_(active_kernels()), codes_(active_code_kernels()) {
  if (vectors.metric() != Metric::cosine) return;
  for (std::size_t row = 0; row < vectors.size(); ++row) {
    const float norm = norm_by_inverse(vectors.inverse_norm(row), vectors.vector(row), vectors.dim());
    greatest_length_ = std::max(greatest_length_, norm);
  }
}

ListSearch::Prepared ListSearch::prepare(const Query& query, bool bounded, Arena& arena) const {
  const std::size_t dim = lists_.dim;
  const bool l2 = vectors_.metric() == Metric::l2;
  Prepared prepared{query.vector, 0.0f, 0.0f, 0.0f, 0.0f, {}};
  if (l2 || query.inverse_norm != 1.0f) {
    float* const moved = arena.array<float>(dim).data();
    const float* const origin = lists_.origin.data();
    for (std::size_t j = 0; j < dim; ++j)
      moved[j] = l2 ? query.vector[j] - origin[j] : query.vector[j] * query.inverse_norm;
    prepared.vector = moved;
  }
  if (!l2) kernels_.dot_rows(prepared.vector, lists_.origin.data(), 1, dim, &prepared.base);
  const std::size_t n_codes = lists_.n_chunks * kChunkDims;
  std::int8_t* const codes = arena.array<std::int8_t>(n_codes).data();
  const float scale = quantise(prepared.vector, dim, n_codes, codes);
  prepared.code = {codes, correction_of(codes, n_codes), scale};
  if (!bounded) {
    float squared = 0.0f;
    kernels_.dot_rows(prepared.vector, prepared.vector, 1, dim, &squared);
    prepared.norm = std::sqrt(squared);
    return prepared;
  }
  prepared.norm = norm_bound(prepared.vector, dim);
  prepared.code_error = code_error(prepared.vector, codes, scale, dim);
  // Sums of dim products in 16 lanes lose at most (dim / 16 + 5) half-units of the greatest possible sum; the
  // constant covers every other step of both scores.
  const float units = (static_cast<float>(dim) / 16.0f + 64.0f) * 0x1p-23f;
  const float reach = prepared.norm + lists_.greatest_norm;
  prepared.rounding = units * (prepared.norm * lists_.greatest_norm + (l2 ? reach * reach : 0.0f)) + 1e-36f;
  return prepared;
}

bool ListSearch::in_range(const Query& query, const Prepared& prepared) const noexcept {
  const float reach = prepared.norm + lists_.greatest_norm;
  if (!(reach * reach < kGreatestProduct)) return false;
  if (vectors_.metric() != Metric::cosine) return true;
  // The cosine is a product of the vectors as they are, divided afterwards.
  const float length = norm_by_inverse(query.inverse_norm, query.vector, lists_.dim);
  return length * greatest_length_ < kGreatestProduct && length * length < kGreatestProduct &&
         greatest_length_ * greatest_length_ < kGreatestProduct;
}

float ListSearch::list_base(const Prepared& query, std::size_t list) const noexcept {
  float product = 0.0f;
  kernels_.dot_rows(query.vector, lists_.centroids.data() + list * lists_.dim, 1, lists_.dim, &product);
  return product + query.base;
}

std::span<float> ListSearch::expected_bounds(const Prepared& query, float effort, Arena& arena) const {
  const std::size_t n = lists_.n_lists;
  const std::span<float> bounds =
      arena.array<float>((n + kGroupVectors - 1) / kGroupVectors * kGroupVectors).first(n);
  codes_.score(lists_.centroid_groups(), query.code, bounds.data());
  const float* const spreads = lists_.list_spreads.data();
  if (vectors_.metric() != Metric::l2) {
    const float factor = effort * query.norm;
    for (std::size_t l = 0; l < n; ++l) bounds[l] = bounds[l] + query.base + factor * spreads[l];
    return bounds;
  }
  const float squared = query.norm * query.norm;
  const float half_dim = 0.5f * static_cast<float>(lists_.dim);
  for (std::size_t l = 0; l < n; ++l) {
    const float distance = std::sqrt(std::max(0.0f, squared - 2.0f * bounds[l]));
    bounds[l] += effort * spreads[l] * distance - half_dim * spreads[l] * spreads[l];
  }
  return bounds;
}

std::span<float> ListSearch::certain_bounds(const Prepared& query, Arena& arena) const {
  const std::size_t n = lists_.n_lists;
  const std::span<float> bounds =
      arena.array<float>((n + kGroupVectors - 1) / kGroupVectors * kGroupVectors).first(n);
  codes_.score(lists_.centroid_groups(), query.code, bounds.data());
  const bool l2 = vectors_.metric() == Metric::l2;
  for (std::size_t l = 0; l < n; ++l) {
    const float margin = query.norm * lists_.centroid_margins[l / kGroupVectors] +
                         query.code_error * lists_.greatest_norm + query.rounding;
    const float centroid = bounds[l] + query.base + margin;
    const float radius = lists_.list_radii[l];
    if (l2) {
      const float squared = query.norm * query.norm - 2.0f * (bounds[l] - margin);
      const float gain = greatest_gain(std::sqrt(std::max(0.0f, squared)), radius);
      bounds[l] = centroid + gain * kUp + query.rounding;
    } else {
      bounds[l] = centroid + query.norm * radius * kUp + query.rounding;
    }
  }
  return bounds;
}

ScanOptions ListSearch::scan_options(float base, const std::uint64_t* allowed,
                                     std::size_t next_list) const noexcept {
  if (next_list >= lists_.n_lists) return {base, allowed, nullptr, 0};
  __builtin_prefetch(lists_.centroids.data() + next_list * lists_.dim);
  const std::size_t begin = lists_.begins[next_list];
  const std::size_t n = lists_.begins[next_list + 1] - begin;
  return {base, allowed, lists_.codes.data() + begin * lists_.group_bytes(), n * lists_.group_bytes()};
}

std::span<Hit> ListSearch::approximate(const Query& query, const ApproximateOptions& options,
                                       const std::uint64_t* allowed, Arena& arena,
                                       SearchCounts& counts) const {
  const std::size_t k = std::min(options.k, lists_.n_vectors);
  if (k == 0) return {};
  const Prepared prepared = prepare(query, false, arena);
  if (!in_range(query, prepared)) return vectors_.search(query, k, allowed, arena);
  const std::size_t wanted = std::clamp(options.n_candidates, k, lists_.n_vectors);
  SurvivorPool pool(wanted, 2 * wanted + 512, codes_, arena);
  const std::size_t tidy = wanted + wanted / 4 + 32;
  const auto trim = [&pool, wanted] {
    pool.refresh(0.0f);
    if (pool.size() > wanted + wanted / 16) pool.cut();
  };
  ListOrder order(expected_bounds(prepared, options.effort, arena), kernels_, codes_, arena);
  for (bool more = true; more;) {
    const std::span<const std::uint64_t> chunk = order.next(pool.floor());
    more = !chunk.empty();
    for (std::size_t i = 0; i < chunk.size(); ++i) {
      const Hit list = hit_of(chunk[i]);
      if (list.score < pool.floor()) {
        more = false;
        break;
      }
      const std::size_t next = i + 1 < chunk.size() ? hit_of(chunk[i + 1]).row : lists_.n_lists;
      const ScanOptions scan = scan_options(list_base(prepared, list.row), allowed, next);
      const std::size_t end = lists_.begins[list.row + 1];
      for (std::size_t group = lists_.begins[list.row]; group < end;) {
        group = codes_.scan(lists_.list(list.row), group, prepared.code, scan, pool.survivors());
        if (pool.full()) trim();
      }
      counts.n_lists += 1;
      counts.n_vectors += lists_.sizes[list.row];
      if (pool.size() >= tidy) trim();
    }
  }
  pool.refresh(0.0f);
  pool.cut();
  const std::size_t n = pool.size();
  const std::span<std::uint32_t> rows = arena.array<std::uint32_t>(n);
  for (std::size_t i = 0; i < n; ++i) rows[i] = lists_.rows[pool.slots()[i]];
  float* scores = pool.scores();
  if (options.rerank) {
    vectors_.scores(query, rows, scores);
    counts.n_reranked += n;
  } else if (vectors_.metric() == Metric::l2) {
    for (std::size_t i = 0; i < n; ++i) scores[i] = 2.0f * scores[i] - prepared.norm * prepared.norm;
  }
  const std::span<std::uint64_t> keys = arena.array<std::uint64_t>(n + 8);
  const std::span<std::uint64_t> scratch = arena.array<std::uint64_t>(n + 8);
  std::size_t n_keys = 0;
  for (std::size_t i = 0; i < n; ++i) {
    keys[n_keys] = key_of(0.0f + scores[i], rows[i]);
    n_keys += std::isnan(scores[i]) ? 0u : 1u;
  }
  const std::uint64_t* const sorted = sort_keys(codes_, keys.data(), n_keys, scratch.data());
  const std::span<Hit> hits = arena.array<Hit>(std::min(k, n_keys));
  std::transform(sorted, sorted + hits.size(), hits.begin(), hit_of);
  return hits;
}

// One exact search: candidates are kept by lower bounds of their scores, each may be better by twice its
// group's margin.
class ListSearch::ExactPass {
 public:
  ExactPass(const ListSearch& search, const Query& query, const Prepared& prepared, std::size_t k,
            const std::uint64_t* allowed, Arena& arena, SearchCounts& counts)
      : search_(search),
        lists_(search.lists_),
        query_(query),
        prepared_(prepared),
        allowed_(allowed),
        counts_(counts),
        limit_(4 * k + 512),
        pool_(k, limit_, search.codes_, arena),
        best_(k, limit_ + 4 * kGroupVectors, arena),
        margins_(arena.array<float>(lists_.n_groups())),
        rows_(arena.array<std::uint32_t>(limit_ + 4 * kGroupVectors)) {}

  [[nodiscard]] float floor() const noexcept { return pool_.floor(); }

  void scan_list(std::size_t list, std::size_t next) noexcept {
    const bool l2 = search_.vectors_.metric() == Metric::l2;
    const float base = search_.list_base(prepared_, list);
    const float centroid = base + (l2 ? lists_.centroid_biases[list] : 0.0f);
    const float squared = prepared_.norm * prepared_.norm - 2.0f * (centroid - prepared_.rounding);
    const float distance = l2 ? std::sqrt(std::max(0.0f, squared)) : 0.0f;
    ScanOptions scan = search_.scan_options(base, allowed_, next);
    CodedGroups groups = lists_.list(list);
    groups.margins = margins_.data();
    const std::size_t n_slots = groups.n_slots;
    const std::size_t end = lists_.begins[list + 1];
    counts_.n_lists += 1;
    for (std::size_t group = lists_.begins[list]; group < end;) {
      // Radii fall within a list: from the first group on that cannot reach the floor, none can.
      std::size_t last = group;
      for (; last < end && last < group + kGroupsTogether; ++last) {
        const float radius = lists_.radii[last];
        const float gain = (l2 ? greatest_gain(distance, radius) : prepared_.norm * radius) * kUp;
        if (centroid + gain + 2.0f * prepared_.rounding < pool_.floor()) break;
        margins_[last] = (prepared_.norm * lists_.errors[last] +
                          prepared_.code_error * (radius + lists_.errors[last]) + prepared_.rounding) *
                         kUp;
        greatest_margin_ = std::max(greatest_margin_, margins_[last]);
      }
      if (last == group) return;
      groups.n_slots = std::min(n_slots, last * kGroupVectors);
      counts_.n_vectors += groups.n_slots - group * kGroupVectors;
      while (group < last) {
        group = search_.codes_.scan(groups, group, prepared_.code, scan, pool_.survivors());
        if (pool_.full()) trim();
      }
      scan.next_bytes = 0;
    }
    if (pool_.size() >= limit_ / 2) trim();
  }

  [[nodiscard]] std::span<Hit> finish(Arena& arena) {
    pool_.refresh(slack());
    rerank();
    const std::span<const std::uint64_t> keys = best_.sorted();
    const std::span<Hit> hits = arena.array<Hit>(keys.size());
    std::transform(keys.begin(), keys.end(), hits.begin(), hit_of);
    return hits;
  }

 private:
  static constexpr std::size_t kGroupsTogether = 256;

  [[nodiscard]] float slack() const noexcept { return 2.0f * greatest_margin_ * kUp; }
  void trim() noexcept {
    pool_.refresh(slack());
    if (pool_.size() >= limit_ / 2) rerank();
  }
  // True scores of the candidates that may be among the best; the pool is empty then.
  void rerank() noexcept {
    std::size_t n = 0;
    for (std::size_t i = 0; i < pool_.size(); ++i) {
      const std::uint32_t slot = pool_.slots()[i];
      rows_[n] = lists_.rows[slot];
      n += pool_.scores()[i] + 2.0f * margins_[slot / kGroupVectors] * kUp >= pool_.floor() ? 1u : 0u;
    }
    search_.vectors_.scores(query_, rows_.first(n), pool_.scores());
    for (std::size_t i = 0; i < n; ++i) {
      if (pool_.scores()[i] >= best_.floor()) best_.offer(pool_.scores()[i], rows_[i]);  // NaN never is
    }
    best_.shrink();
    counts_.n_reranked += n;
    pool_.clear();
  }

  const ListSearch& search_;
  const CodedLists& lists_;
  const Query& query_;
  const Prepared& prepared_;
  const std::uint64_t* allowed_;
  SearchCounts& counts_;
  std::size_t limit_;
  SurvivorPool pool_;
  BestK best_;
  std::span<float> margins_;
  std::span<std::uint32_t> rows_;
  float greatest_margin_ = 0.0f;
};

std::span<Hit> ListSearch::exact(const Query& query, std::size_t k, const std::uint64_t* allowed,
                                 Arena& arena, SearchCounts& counts) const {
  k = std::min(k, lists_.n_vectors);
  if (k == 0) return {};
  const Prepared prepared = prepare(query, true, arena);
  if (!in_range(query, prepared)) return vectors_.search(query, k, allowed, arena);
  ExactPass pass(*this, query, prepared, k, allowed, arena, counts);
  ListOrder order(certain_bounds(prepared, arena), kernels_, codes_, arena);
  for (;;) {
    const std::span<const std::uint64_t> chunk = order.next(pass.floor());
    if (chunk.empty()) return pass.finish(arena);
    for (std::size_t i = 0; i < chunk.size(); ++i) {
      const Hit list = hit_of(chunk[i]);
      if (list.score < pass.floor()) return pass.finish(arena);
      pass.scan_list(list.row, i + 1 < chunk.size() ? hit_of(chunk[i + 1]).row : lists_.n_lists);
    }
  }
}

}  // namespace shortlist::retrieval
