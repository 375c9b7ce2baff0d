// The scan of interleaved codes: against plain loops over the codes, bit for bit on every instruction set,
// and within its arrays.
#include "kernels/codes.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "check.hpp"
#include "cpu/isa.hpp"
#include "guarded.hpp"
#include "kernels/kernels.hpp"

using namespace shortlist;

namespace {

std::vector<std::pair<std::string, const CodeKernels*>> tables() {
  std::vector<std::pair<std::string, const CodeKernels*>> found{{"portable", &kPortableKernels.codes}};
  for (const Isa isa : available_isas()) {
#if defined(__x86_64__)
    if (isa == Isa::avx2) found.emplace_back("avx2", &kAvx2Kernels.codes);
    if (isa == Isa::avx512) found.emplace_back("avx512", &kAvx512Kernels.codes);
    if (isa == Isa::avx512 && has_avx512_vnni()) found.emplace_back("avx512vnni", &kAvx512VnniCodeKernels);
#elif defined(__aarch64__)
    if (isa == Isa::neon) found.emplace_back("neon", &kNeonKernels.codes);
#endif
  }
  return found;
}

// Random groups with a query; every array ends where memory does.
struct Fixture {
  std::size_t n_slots, n_groups, n_chunks;
  Guarded<std::uint8_t> codes;
  Guarded<float> scales, biases, margins;
  Guarded<std::uint32_t> rows;
  Guarded<std::int8_t> query_codes;
  std::int32_t correction = 0;

  Fixture(std::size_t slots, std::size_t chunks, std::uint32_t seed, bool extreme)
      : n_slots(slots),
        n_groups((slots + kGroupVectors - 1) / kGroupVectors),
        n_chunks(chunks),
        codes(n_groups * chunks * kChunkBytes),
        scales(n_groups * kGroupVectors),
        biases(n_groups * kGroupVectors),
        margins(n_groups),
        rows(n_groups * kGroupVectors),
        query_codes(chunks * kChunkDims) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (std::uint8_t& code : codes.span())
      code = static_cast<std::uint8_t>(extreme ? (random() % 2 == 0 ? 0 : 255) : random() % 256);
    for (float& scale : scales.span()) scale = std::abs(normal(random)) / 127;
    for (float& bias : biases.span()) bias = normal(random);
    for (float& margin : margins.span()) margin = std::abs(normal(random));
    for (std::uint32_t i = 0; i < rows.span().size(); ++i) rows[i] = i < n_slots ? i : 0;
    std::shuffle(rows.data(), rows.data() + n_slots, random);
    for (std::int8_t& code : query_codes.span()) {
      code = static_cast<std::int8_t>(extreme ? (random() % 2 == 0 ? -127 : 127)
                                              : static_cast<int>(random() % 255) - 127);
      correction -= 128 * code;
    }
  }
  [[nodiscard]] CodedGroups groups(bool with_biases, bool with_margins) const {
    return {codes.data(),
            scales.data(),
            with_biases ? biases.data() : nullptr,
            with_margins ? margins.data() : nullptr,
            rows.data(),
            n_slots,
            n_chunks};
  }
  [[nodiscard]] CodedQuery query() const { return {query_codes.data(), correction, 0.0123f}; }
  [[nodiscard]] float score(std::size_t slot, float base, bool with_biases) const {
    std::int64_t sum = 0;
    for (std::size_t d = 0; d < n_chunks * kChunkDims; ++d) {
      const std::size_t at = (slot / kGroupVectors * n_chunks + d / kChunkDims) * kChunkBytes +
                             slot % kGroupVectors * kChunkDims + d % kChunkDims;
      sum += std::int64_t{query_codes[d]} * (std::int64_t{codes[at]} - 128);
    }
    const float product = static_cast<float>(sum) * scales[slot];
    const float score = product * 0.0123f + base;
    return with_biases ? score + biases[slot] : score;
  }
};

struct Found {
  std::vector<std::uint32_t> score_bits, slots;
  bool operator==(const Found&) const = default;
};

// All of the scan, with pauses where the buffer is full.
Found scan_all(const CodeKernels& kernels, const CodedGroups& groups, const CodedQuery& query, float floor,
               const std::uint64_t* allowed, std::size_t limit) {
  Found found;
  const Guarded<float> scores(limit + 4 * kGroupVectors);
  const Guarded<std::uint32_t> slots(limit + 4 * kGroupVectors);
  Survivors survivors{scores.data(), slots.data(), 0, limit, floor};
  const ScanOptions options{1.5f, allowed, groups.codes, 100};
  const std::size_t n_groups = (groups.n_slots + kGroupVectors - 1) / kGroupVectors;
  for (std::size_t g = 0; g < n_groups;) {
    g = kernels.scan(groups, g, query, options, survivors);
    CHECK(g == n_groups || survivors.size >= limit);
    for (std::size_t i = 0; i < survivors.size; ++i) {
      found.score_bits.push_back(std::bit_cast<std::uint32_t>(scores[i]));
      found.slots.push_back(slots[i]);
    }
    survivors.size = 0;
  }
  return found;
}

constexpr std::pair<std::size_t, std::size_t> kShapes[] = {{1, 1},  {15, 2},   {16, 3},  {17, 16},
                                                           {64, 5}, {131, 16}, {400, 7}, {999, 24}};

}  // namespace

TEST_CASE(a_scan_finds_what_a_loop_over_the_codes_finds) {
  for (const auto& [n_slots, n_chunks] : kShapes) {
    for (const bool extreme : {false, true}) {
      const Fixture fixture(n_slots, n_chunks, 7, extreme);
      const Guarded<std::uint64_t> allowed((n_slots + 63) / 64);
      std::mt19937_64 random(3);
      for (std::uint64_t& word : allowed.span()) word = random();
      for (const int options : {0, 1, 2, 3, 4, 5, 6, 7}) {
        const bool biases = (options & 1) != 0, margins = (options & 2) != 0, filtered = (options & 4) != 0;
        for (const float floor : {-std::numeric_limits<float>::infinity(), 0.0f, 2.0f}) {
          Found expected;
          for (std::size_t slot = 0; slot < n_slots; ++slot) {
            const float score = fixture.score(slot, 1.5f, biases);
            const float margin = margins ? fixture.margins[slot / kGroupVectors] : 0.0f;
            const std::uint32_t row = fixture.rows[slot];
            if (filtered && (allowed[row / 64] >> (row % 64) & 1) == 0) continue;
            if (!(score + margin >= floor)) continue;
            expected.score_bits.push_back(std::bit_cast<std::uint32_t>(margins ? score - margin : score));
            expected.slots.push_back(static_cast<std::uint32_t>(slot));
          }
          for (const auto& [name, kernels] : tables()) {
            for (const std::size_t limit : {std::size_t{1}, std::size_t{100}}) {
              const Found found = scan_all(*kernels, fixture.groups(biases, margins), fixture.query(), floor,
                                           filtered ? allowed.data() : nullptr, limit);
              CHECK(found == expected);
            }
          }
        }
      }
    }
  }
}

TEST_CASE(scores_are_the_same_bits_as_a_scan_s) {
  for (const auto& [n_slots, n_chunks] : kShapes) {
    const Fixture fixture(n_slots, n_chunks, 11, false);
    for (const auto& [name, kernels] : tables()) {
      const Guarded<float> out(fixture.n_groups * kGroupVectors);
      kernels->score(fixture.groups(true, false), fixture.query(), out.data());
      for (std::size_t slot = 0; slot < n_slots; ++slot)
        CHECK_EQ(std::bit_cast<std::uint32_t>(out[slot]),
                 std::bit_cast<std::uint32_t>(fixture.score(slot, 0.0f, true)));
    }
  }
}

TEST_CASE(best_slots_are_those_of_a_loop_and_the_lower_of_equal_ones) {
  for (const auto& [n_slots, n_chunks] : kShapes) {
    Fixture fixture(n_slots, n_chunks, 13, false);
    if (n_slots > 40) {  // equal ones, in other lanes and groups
      for (const std::size_t slot : {std::size_t{5}, std::size_t{21}, std::size_t{38}}) {
        fixture.scales[slot] = 0.0f;
        fixture.biases[slot] = 1e6f;
      }
    }
    constexpr std::size_t kQueries = 8;
    const std::size_t dims = n_chunks * kChunkDims;
    const Guarded<std::int8_t> codes(kQueries * dims);
    const Guarded<std::int32_t> corrections(kQueries);
    const Guarded<float> scales(kQueries);
    std::mt19937 random(17);
    std::vector<std::uint32_t> expected;
    for (std::size_t q = 0; q < kQueries; ++q) {
      corrections[q] = 0;
      scales[q] = 0.0123f;
      for (std::size_t d = 0; d < dims; ++d) {
        codes[q * dims + d] = static_cast<std::int8_t>(static_cast<int>(random() % 255) - 127);
        fixture.query_codes[d] = codes[q * dims + d];
        corrections[q] -= 128 * codes[q * dims + d];
      }
      std::uint32_t best = 0;
      for (std::uint32_t slot = 1; slot < n_slots; ++slot) {
        if (fixture.score(slot, 0.0f, true) > fixture.score(best, 0.0f, true)) best = slot;
      }
      expected.push_back(best);
    }
    for (const auto& [name, kernels] : tables()) {
      const Guarded<std::uint32_t> slots(kQueries);
      kernels->best_slots(fixture.groups(true, false), codes.data(), corrections.data(), scales.data(),
                          kQueries, slots.data());
      CHECK(std::equal(expected.begin(), expected.end(), slots.data()));
    }
  }
}

TEST_CASE(pairs_at_least_a_floor_are_counted_and_kept_in_order) {
  std::mt19937 random(5);
  for (const std::size_t n : {0, 1, 15, 16, 17, 100, 301}) {
    std::vector<float> scores(n);
    for (float& score : scores) score = static_cast<float>(random() % 50);
    for (const float floor : {-1.0f, 25.0f, 100.0f}) {
      std::vector<float> kept;
      std::vector<std::uint32_t> kept_slots;
      for (std::uint32_t i = 0; i < n; ++i) {
        if (scores[i] < floor) continue;
        kept.push_back(scores[i]);
        kept_slots.push_back(i);
      }
      for (const auto& [name, kernels] : tables()) {
        if (n != 0) {
          float least = 0.0f, greatest = 0.0f;
          kernels->range(scores.data(), n, &least, &greatest);
          CHECK_EQ(least, *std::min_element(scores.begin(), scores.end()));
          CHECK_EQ(greatest, *std::max_element(scores.begin(), scores.end()));
        }
        const Guarded<float> copy(n + 16);
        const Guarded<std::uint32_t> slots(n + 16);
        for (std::uint32_t i = 0; i < n; ++i) {
          copy[i] = scores[i];
          slots[i] = i;
        }
        CHECK_EQ(kernels->count_at_least(copy.data(), n, floor), kept.size());
        CHECK_EQ(kernels->keep_at_least(copy.data(), slots.data(), n, floor), kept.size());
        CHECK(std::equal(kept.begin(), kept.end(), copy.data()));
        CHECK(std::equal(kept_slots.begin(), kept_slots.end(), slots.data()));
      }
    }
  }
}

TEST_CASE(bits_are_counted) {
  const Guarded<std::uint64_t> words(9);
  std::mt19937_64 random(4);
  std::size_t expected = 0;
  for (std::size_t n = 0; n <= 9; ++n) {
    for (const auto& [name, kernels] : tables()) CHECK_EQ(kernels->count_bits(words.data(), n), expected);
    if (n == 9) break;
    words[n] = random();
    expected += static_cast<std::size_t>(std::popcount(words[n]));
  }
}

TEST_CASE(ranked_keys_are_sorted_keys) {
  std::mt19937_64 random(9);
  for (const std::size_t n : {0, 1, 2, 7, 8, 9, 100, 300}) {
    std::vector<std::uint64_t> keys(n);
    for (std::uint64_t& key : keys) key = random();
    std::vector<std::uint64_t> expected = keys;
    std::sort(expected.begin(), expected.end());
    for (const auto& [name, kernels] : tables()) {
      const Guarded<std::uint64_t> input(n + 8);
      const Guarded<std::uint64_t> out(n);
      std::copy(keys.begin(), keys.end(), input.data());
      kernels->rank_keys(input.data(), n, out.data());
      CHECK(std::equal(expected.begin(), expected.end(), out.data()));
      CHECK(kernels->max_ranked >= 1);
    }
  }
}
