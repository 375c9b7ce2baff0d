// Remainders by a divisor known at load time, by two multiplications in place of a division.
// Barrett reduction: with m = floor((2^64 - 1) / d) the estimate floor(h * m / 2^64) is the quotient or one
// less.
#pragma once

#include <cstdint>

namespace shortlist::features {

class Modulus {
 public:
  Modulus() = default;
  // `divisor` is at least 1.
  explicit Modulus(std::uint32_t divisor) noexcept
      : divisor_(divisor), inverse_(~std::uint64_t{0} / divisor) {}

  [[nodiscard]] std::uint32_t remainder(std::uint64_t hash) const noexcept {
    __extension__ using Wide = unsigned __int128;
    const auto quotient = static_cast<std::uint64_t>((Wide{hash} * inverse_) >> 64);
    const std::uint64_t rest = hash - quotient * divisor_;
    return static_cast<std::uint32_t>(rest >= divisor_ ? rest - divisor_ : rest);
  }

 private:
  std::uint64_t divisor_ = 1;
  std::uint64_t inverse_ = ~std::uint64_t{0};
};

}  // namespace shortlist::features
