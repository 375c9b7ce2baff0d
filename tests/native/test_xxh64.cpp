// XXH64 against the reference implementation's sanity check: its buffer, lengths, seeds and digests.
#include "base/xxh64.hpp"

#include <array>
#include <cstdint>
#include <string_view>

#include "check.hpp"

using shortlist::xxh64;

namespace {

constexpr std::uint64_t kSeed = 2654435761ULL;

std::array<char, 256> sanity_buffer() {
  std::array<char, 256> buffer;
  std::uint64_t state = kSeed;
  for (char& byte : buffer) {
    byte = static_cast<char>(state >> 56);
    state *= 11400714785074694797ULL;
  }
  return buffer;
}

struct Digest {
  std::size_t length;
  std::uint64_t seed;
  std::uint64_t expected;
};

}  // namespace

TEST_CASE(digests_of_the_sanity_buffer_are_the_published_ones) {
  const std::array<char, 256> buffer = sanity_buffer();
  constexpr Digest kDigests[] = {
      {0, 0, 0xEF46DB3751D8E999ULL},       {0, kSeed, 0xAC75FDA2929B17EFULL},
      {1, 0, 0xE934A84ADB052768ULL},       {1, kSeed, 0x5014607643A9B4C3ULL},
      {4, 0, 0x9136A0DCA57457EEULL},       {14, 0, 0x8282DCC4994E35C8ULL},
      {14, kSeed, 0xC3BD6BF63DEB6DF0ULL},  {222, 0, 0xB641AE8CB691C174ULL},
      {222, kSeed, 0x20CB8AB7AE10C14AULL},
  };
  for (const Digest& digest : kDigests) {
    CHECK_EQ(xxh64(std::string_view(buffer.data(), digest.length), digest.seed), digest.expected);
  }
}

TEST_CASE(well_known_strings_have_their_known_digests) {
  CHECK_EQ(xxh64("a"), 0xD24EC4F1A98C6E5BULL);
  CHECK_EQ(xxh64("abc"), 0x44BC2CF5AD770999ULL);
  CHECK_EQ(xxh64("Nobody inspects the spammish repetition"), 0xFBCEA83C8A378BF1ULL);
}

TEST_CASE(the_digest_does_not_depend_on_alignment) {
  const std::array<char, 256> buffer = sanity_buffer();
  alignas(64) std::array<char, 320> moved{};
  const std::uint64_t expected = xxh64(std::string_view(buffer.data(), 222));
  for (std::size_t offset = 0; offset < 64; ++offset) {
    std::copy(buffer.begin(), buffer.begin() + 222, moved.begin() + static_cast<std::ptrdiff_t>(offset));
    CHECK_EQ(xxh64(std::string_view(moved.data() + offset, 222)), expected);
  }
}
