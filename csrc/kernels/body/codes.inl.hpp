// The scan of interleaved codes. Included once per instruction set, after its vec/codes header.
#pragma once

namespace {

using shortlist::CodedGroups;
using shortlist::CodedQuery;
using shortlist::kChunkBytes;
using shortlist::kChunkDims;
using shortlist::kGroupVectors;

// Sums of kGroups consecutive groups: the query's codes are spread once for all of them.
template <std::size_t kGroups>
inline void sum_groups(const std::uint8_t* codes, std::size_t n_chunks, const CodedQuery& query, Sums* sums) {
  const std::size_t group_bytes = n_chunks * kChunkBytes;
  for (std::size_t g = 0; g < kGroups; ++g) sums[g] = repeat_sum(query.correction);
  for (std::size_t c = 0; c < n_chunks; ++c) {
    const QueryChunk chunk = spread(query.codes + c * kChunkDims);
    for (std::size_t g = 0; g < kGroups; ++g)
      sums[g] = accumulate(sums[g], codes + g * group_bytes + c * kChunkBytes, chunk);
  }
}

// One group in two sums, so that the latency of one hides behind the other.
template <>
inline void sum_groups<1>(const std::uint8_t* codes, std::size_t n_chunks, const CodedQuery& query,
                          Sums* sums) {
  Sums even = repeat_sum(query.correction);
  Sums odd = repeat_sum(0);
  std::size_t c = 0;
  for (; c + 2 <= n_chunks; c += 2) {
    even = accumulate(even, codes + c * kChunkBytes, spread(query.codes + c * kChunkDims));
    odd = accumulate(odd, codes + (c + 1) * kChunkBytes, spread(query.codes + (c + 1) * kChunkDims));
  }
  if (c < n_chunks) even = accumulate(even, codes + c * kChunkBytes, spread(query.codes + c * kChunkDims));
  *sums = add_sums(even, odd);
}

inline F16x scores_of(const CodedGroups& groups, std::size_t group, Sums sums, F16x query_scale, F16x base) {
  const std::size_t slot = group * kGroupVectors;
  F16x score = add(mul(mul(to_floats(sums), load(groups.scales + slot)), query_scale), base);
  if (groups.biases != nullptr) score = add(score, load(groups.biases + slot));
  return score;
}

inline std::uint32_t lanes_of(const CodedGroups& groups, std::size_t group) {
  const std::size_t left = groups.n_slots - group * kGroupVectors;
  return left >= kGroupVectors ? 0xFFFFu : (1u << left) - 1u;
}

inline void append_group(const CodedGroups& groups, std::size_t group, F16x score,
                         const std::uint64_t* allowed, shortlist::Survivors& survivors) {
  F16x best = score;
  F16x least = score;
  if (groups.margins != nullptr) {
    const F16x margin = repeat(groups.margins[group]);
    best = add(score, margin);
    least = sub(score, margin);
  }
  std::uint32_t mask = mask_at_least(best, repeat(survivors.floor)) & lanes_of(groups, group);
  if (mask != 0 && allowed != nullptr)
    mask = allowed_lanes(mask, groups.rows + group * kGroupVectors, allowed);
  if (mask == 0) return;
  survivors.size += append(survivors.scores + survivors.size, survivors.slots + survivors.size, least, mask,
                           static_cast<std::uint32_t>(group * kGroupVectors));
}

inline void prefetch_bytes(const std::uint8_t* memory, std::size_t n) {
  for (std::size_t i = 0; i < n; i += 64) __builtin_prefetch(memory + i);
}

std::size_t scan(const CodedGroups& groups, std::size_t first_group, const CodedQuery& query,
                 const shortlist::ScanOptions& options, shortlist::Survivors& survivors) noexcept {
  constexpr std::size_t kTogether = 4;
  const std::size_t n_groups = (groups.n_slots + kGroupVectors - 1) / kGroupVectors;
  const std::size_t group_bytes = groups.n_chunks * kChunkBytes;
  const F16x base = repeat(options.base);
  const F16x query_scale = repeat(query.scale);
  std::size_t prefetched = 0;
  std::size_t g = first_group;
  const auto prefetch_next = [&](std::size_t n) {
    if (prefetched >= options.next_bytes) return;
    const std::size_t left = options.next_bytes - prefetched;
    prefetch_bytes(options.next + prefetched, left < n ? left : n);
    prefetched += n;
  };
  Sums sums[kTogether];
  for (; g + kTogether <= n_groups && survivors.size < survivors.limit; g += kTogether) {
    prefetch_next(kTogether * group_bytes);
    sum_groups<kTogether>(groups.codes + g * group_bytes, groups.n_chunks, query, sums);
    for (std::size_t i = 0; i < kTogether; ++i)
      append_group(groups, g + i, scores_of(groups, g + i, sums[i], query_scale, base), options.allowed,
                   survivors);
  }
  for (; g < n_groups && survivors.size < survivors.limit; ++g) {
    prefetch_next(group_bytes);
    sum_groups<1>(groups.codes + g * group_bytes, groups.n_chunks, query, sums);
    append_group(groups, g, scores_of(groups, g, sums[0], query_scale, base), options.allowed, survivors);
  }
  return g;
}

void score_groups(const CodedGroups& groups, const CodedQuery& query, float* out) noexcept {
  constexpr std::size_t kTogether = 4;
  const std::size_t n_groups = (groups.n_slots + kGroupVectors - 1) / kGroupVectors;
  const std::size_t group_bytes = groups.n_chunks * kChunkBytes;
  const F16x query_scale = repeat(query.scale);
  Sums sums[kTogether];
  std::size_t g = 0;
  for (; g + kTogether <= n_groups; g += kTogether) {
    sum_groups<kTogether>(groups.codes + g * group_bytes, groups.n_chunks, query, sums);
    for (std::size_t i = 0; i < kTogether; ++i)
      store(out + (g + i) * kGroupVectors, scores_of(groups, g + i, sums[i], query_scale, zero()));
  }
  for (; g < n_groups; ++g) {
    sum_groups<1>(groups.codes + g * group_bytes, groups.n_chunks, query, sums);
    store(out + g * kGroupVectors, scores_of(groups, g, sums[0], query_scale, zero()));
  }
}

// The best of each lane so far and its group, as a float.
struct BestOfLanes {
  F16x score, group;
};

// The best slot of the lanes; of equal ones the lowest.
inline std::uint32_t best_slot(const BestOfLanes& best) {
  float scores[kGroupVectors];
  float groups[kGroupVectors];
  store(scores, best.score);
  store(groups, best.group);
  std::uint32_t found = 0;
  for (std::uint32_t lane = 1; lane < kGroupVectors; ++lane) {
    if (scores[lane] > scores[found] || (scores[lane] == scores[found] && groups[lane] < groups[found]))
      found = lane;
  }
  return static_cast<std::uint32_t>(groups[found]) * static_cast<std::uint32_t>(kGroupVectors) + found;
}

template <std::size_t kQueries>
inline void best_slots_of(const CodedGroups& groups, const std::int8_t* codes,
                          const std::int32_t* corrections, const float* scales, std::uint32_t* slots) {
  const std::size_t n_groups = (groups.n_slots + kGroupVectors - 1) / kGroupVectors;
  const std::size_t query_bytes = groups.n_chunks * kChunkDims;
  BestOfLanes best[kQueries];
  for (BestOfLanes& lanes : best) lanes = {repeat(-__builtin_inff()), zero()};
  for (std::size_t g = 0; g < n_groups; ++g) {
    const std::uint8_t* const group = groups.codes + g * groups.n_chunks * kChunkBytes;
    Sums sums[kQueries];
    for (std::size_t q = 0; q < kQueries; ++q) sums[q] = repeat_sum(corrections[q]);
    for (std::size_t c = 0; c < groups.n_chunks; ++c) {
      for (std::size_t q = 0; q < kQueries; ++q)
        sums[q] =
            accumulate(sums[q], group + c * kChunkBytes, spread(codes + q * query_bytes + c * kChunkDims));
    }
    const F16x number = repeat(static_cast<float>(g));
    for (std::size_t q = 0; q < kQueries; ++q) {
      const F16x score =
          mask_lanes(scores_of(groups, g, sums[q], repeat(scales[q]), zero()), lanes_of(groups, g));
      keep_greater(best[q].score, best[q].group, score, number);
    }
  }
  for (std::size_t q = 0; q < kQueries; ++q) slots[q] = best_slot(best[q]);
}

void best_slots(const CodedGroups& groups, const std::int8_t* codes, const std::int32_t* corrections,
                const float* scales, std::size_t n, std::uint32_t* slots) noexcept {
  constexpr std::size_t kTogether = 6;
  const std::size_t query_bytes = groups.n_chunks * kChunkDims;
  std::size_t i = 0;
  for (; i + kTogether <= n; i += kTogether)
    best_slots_of<kTogether>(groups, codes + i * query_bytes, corrections + i, scales + i, slots + i);
  for (; i < n; ++i)
    best_slots_of<1>(groups, codes + i * query_bytes, corrections + i, scales + i, slots + i);
}

void range(const float* scores, std::size_t n, float* least, float* greatest) noexcept {
  F16x low = repeat(scores[0]);
  F16x high = low;
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    low = lesser(low, load(scores + i));
    high = greater(high, load(scores + i));
  }
  float lows[16];
  float highs[16];
  store(lows, low);
  store(highs, high);
  for (int lane = 1; lane < 16; ++lane) {
    if (lows[lane] < lows[0]) lows[0] = lows[lane];
    if (highs[lane] > highs[0]) highs[0] = highs[lane];
  }
  for (; i < n; ++i) {
    if (scores[i] < lows[0]) lows[0] = scores[i];
    if (scores[i] > highs[0]) highs[0] = scores[i];
  }
  *least = lows[0];
  *greatest = highs[0];
}

std::size_t count_at_least(const float* scores, std::size_t n, float floor) noexcept {
  const F16x bound = repeat(floor);
  std::size_t count = 0;
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16)
    count += static_cast<std::size_t>(__builtin_popcount(mask_at_least(load(scores + i), bound)));
  for (; i < n; ++i) count += scores[i] >= floor ? 1u : 0u;
  return count;
}

std::size_t keep_at_least(float* scores, std::uint32_t* slots, std::size_t n, float floor) noexcept {
  const F16x bound = repeat(floor);
  std::size_t kept = 0;
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const F16x score = load(scores + i);
    kept += append_pairs(scores + kept, slots + kept, score, slots + i, mask_at_least(score, bound));
  }
  for (; i < n; ++i) {
    scores[kept] = scores[i];
    slots[kept] = slots[i];
    kept += scores[kept] >= floor ? 1u : 0u;
  }
  return kept;
}

std::size_t count_bits(const std::uint64_t* words, std::size_t n) noexcept {
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; ++i) count += static_cast<std::size_t>(__builtin_popcountll(words[i]));
  return count;
}

constexpr shortlist::CodeKernels kCodes = {scan,          score_groups, best_slots, range,     count_at_least,
                                           keep_at_least, rank_keys,    kMaxRanked, count_bits};

}  // namespace
