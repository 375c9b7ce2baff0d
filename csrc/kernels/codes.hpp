// Interleaved 8-bit codes of vectors and their scan: 16 vectors, a group, are scored side by side.
//
// A vector is coded as origin + scale * (code - 128), codes in [1, 255]. Chunk c of a group is 64 bytes: for
// each of its 16 vectors the codes of dimensions 4 c to 4 c + 3. A query has signed codes in [-127, 127], and
// <query, vector> is about query.scale * scale * sum(query code * (code - 128)), whose sum is an exact
// integer. Lanes and dimensions that fill up have the code 128, which adds nothing.
#pragma once

#include <cstddef>
#include <cstdint>

namespace shortlist {

inline constexpr std::size_t kGroupVectors = 16;
inline constexpr std::size_t kChunkDims = 4;
inline constexpr std::size_t kChunkBytes = kGroupVectors * kChunkDims;
// Sums of products stay within 32 bits: 127 * 127 * 2^16 < 2^31.
inline constexpr std::size_t kMaxCodedDim = std::size_t{1} << 16;

// Consecutive groups. Slot s is lane s % 16 of group s / 16; slots from n_slots on are never reported.
struct CodedGroups {
  const std::uint8_t* codes;  // n_chunks * kChunkBytes a group, aligned to 64 bytes
  const float* scales;        // one a slot, all of every group's
  const float* biases;        // one a slot, added to its score; or null
  const float* margins;       // one a group, at least 0: how far a score may be off; or null
  const std::uint32_t* rows;  // one a slot; read only where rows are filtered
  std::size_t n_slots;
  std::size_t n_chunks;
};

struct CodedQuery {
  const std::int8_t* codes;  // n_chunks * kChunkDims
  std::int32_t correction;   // -128 * sum of the codes
  float scale;
};

// What reached the floor so far. The arrays have room for limit + 4 * kGroupVectors elements.
struct Survivors {
  float* scores;
  std::uint32_t* slots;
  std::size_t size;
  std::size_t limit;
  float floor;
};

// What a scan of groups does beside scoring.
struct ScanOptions {
  float base;                    // added to every score
  const std::uint64_t* allowed;  // bitmap of rows that may survive, or null for all
  const std::uint8_t* next;      // memory that is needed afterwards, prefetched as the scan goes on
  std::size_t next_bytes;
};

struct CodeKernels {
  // score = base + scale * query.scale * sum + bias, in this order, products and sums rounded one by one. A
  // slot whose score + margin reaches the floor is appended, with score - margin. Ends behind the last group,
  // or where `limit` elements are reached; returns the group to go on with.
  std::size_t (*scan)(const CodedGroups& groups, std::size_t first_group, const CodedQuery& query,
                      const ScanOptions& options, Survivors& survivors) noexcept;
  // out[slot] = score of every slot of every group, base 0.
  void (*score)(const CodedGroups& groups, const CodedQuery& query, float* out) noexcept;
  // For each of n queries, whose codes lie one behind the other, the slot with the best score, the lower one
  // where equal. The groups have biases, and at least one slot.
  void (*best_slots)(const CodedGroups& groups, const std::int8_t* codes, const std::int32_t* corrections,
                     const float* scales, std::size_t n, std::uint32_t* slots) noexcept;
  // The least and the greatest of n scores, n at least 1, none of them NaN.
  void (*range)(const float* scores, std::size_t n, float* least, float* greatest) noexcept;
  // How many scores are at least `floor`.
  std::size_t (*count_at_least)(const float* scores, std::size_t n, float floor) noexcept;
  // Keeps the pairs whose score is at least `floor`, in order; returns how many. The arrays have room for 16
  // elements more than n.
  std::size_t (*keep_at_least)(float* scores, std::uint32_t* slots, std::size_t n, float floor) noexcept;
  // Copies n distinct keys to `out` in ascending order, in time n^2: faster than sorting up to max_ranked of
  // them. Reads up to 8 keys beyond n.
  void (*rank_keys)(std::uint64_t* keys, std::size_t n, std::uint64_t* out) noexcept;
  std::size_t max_ranked;
  // How many bits of n words are set.
  std::size_t (*count_bits)(const std::uint64_t* words, std::size_t n) noexcept;
};

// Those of the chosen instruction set; AVX-512's use VNNI where the processor has it. Fixed after the first
// call. Throws on a bad SHORTLIST_ISA.
[[nodiscard]] const CodeKernels& active_code_kernels();

#if defined(__x86_64__)
extern const CodeKernels kAvx512VnniCodeKernels;
// Whether this processor runs kAvx512VnniCodeKernels.
[[nodiscard]] bool has_avx512_vnni() noexcept;
#endif

}  // namespace shortlist
