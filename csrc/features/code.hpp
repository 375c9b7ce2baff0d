// Cells and hash codes: how a number, a vocabulary code or a bucket becomes the 4 bytes of one feature.
//
// Specification (docs/features.md says the same at length)
//   canonical text   value.hpp
//   field hash       xxh64(canonical text, seed 0), 1 where that is 0; a missing value's is 0
//   hashed code      missing: 0; else 1 + xxh64(canonical text, seed) mod (buckets - 1)
//   cross code       a missing field: 0; else 1 + xxh64(b, seed) mod (buckets - 1), where b is the fields'
//                    hashes in order, 8 bytes each, little-endian (16 or 24 bytes)
//   cell             block "dense": float32 of the number or code; any other block: the code as int32
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/xxh64.hpp"
#include "features/definition.hpp"
#include "features/modulus.hpp"

namespace shortlist::features {

inline constexpr std::uint64_t kMissingHash = 0;

[[nodiscard]] inline std::uint32_t float_cell(float value) noexcept {
  return std::bit_cast<std::uint32_t>(value);
}

[[nodiscard]] inline std::uint32_t code_cell(std::uint32_t code, bool is_float) noexcept {
  return is_float ? float_cell(static_cast<float>(code)) : code;
}

// Hash to a code in [1, buckets).
class Buckets {
 public:
  Buckets() = default;
  // 2 <= buckets < 2^31
  explicit Buckets(std::uint64_t buckets) noexcept : modulus_(static_cast<std::uint32_t>(buckets - 1)) {}
  [[nodiscard]] std::uint32_t code(std::uint64_t hash) const noexcept { return 1 + modulus_.remainder(hash); }

 private:
  Modulus modulus_;
};

// A cross of two or three field hashes; where those are found is the owner's business.
struct CrossOperation {
  std::uint32_t cell = 0;  // where the result goes
  std::uint8_t n_fields = 0;
  bool is_float = true;
  Source sources[kMaxCrossFields] = {};
  std::uint32_t slots[kMaxCrossFields] = {};  // positions among the source's hashes
  std::uint64_t seed = 0;
  Buckets buckets;

  // `hashes[source]` are the field hashes of each source that this cross reads.
  [[nodiscard]] std::uint32_t operator()(const std::uint64_t* const* hashes) const noexcept {
    return n_fields == 2 ? mix<2>(hashes) : mix<3>(hashes);
  }

 private:
  template <std::size_t kFields>
  [[nodiscard]] std::uint32_t mix(const std::uint64_t* const* hashes) const noexcept {
    std::uint64_t mixed[kFields];
    bool complete = true;
    for (std::size_t i = 0; i < kFields; ++i) {
      mixed[i] = hashes[static_cast<std::size_t>(sources[i])][slots[i]];
      complete &= mixed[i] != kMissingHash;
    }
    const std::string_view bytes(reinterpret_cast<const char*>(mixed), sizeof(mixed));
    return code_cell(complete ? buckets.code(xxh64(bytes, seed)) : 0, is_float);
  }
};

}  // namespace shortlist::features
