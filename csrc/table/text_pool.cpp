#include "table/text_pool.hpp"

#include <bit>

#include "base/error.hpp"
#include "base/xxh64.hpp"
#include "json/utf8.hpp"

namespace shortlist::table {

TextPool::TextPool(const TensorFile& file, const std::string& offsets, const std::string& bytes)
    : offsets_(file.get<std::int64_t>(offsets, {TensorFile::kAny})),
      bytes_(file.get<char>(bytes, {TensorFile::kAny})) {
  bool rising = !offsets_.empty() && offsets_.front() == 0 &&
                offsets_.back() == static_cast<std::int64_t>(bytes_.size()) && offsets_.size() <= UINT32_MAX;
  for (std::size_t i = 1; rising && i < offsets_.size(); ++i) rising = offsets_[i - 1] <= offsets_[i];
  if (!rising) {
    throw Error(ErrorCode::invalid_format, file.name() + ": tensor \"" + offsets +
                                               "\" does not rise from 0 to the size of \"" + bytes + "\"");
  }
  // Whole text valid and no cut inside a character: then every piece is valid.
  bool valid = json::valid_utf8_prefix({bytes_.data(), bytes_.size()}) == bytes_.size();
  for (const std::int64_t offset : offsets_) {
    const auto at = static_cast<std::size_t>(offset);
    valid = valid && (at == bytes_.size() || (static_cast<unsigned char>(bytes_[at]) & 0xC0) != 0x80);
  }
  if (!valid) {
    throw Error(ErrorCode::invalid_format,
                file.name() + ": tensor \"" + bytes + "\" holds a text that is not valid UTF-8");
  }
}

TextLookup::TextLookup(const TextPool& pool, const std::string& where)
    : slots_(std::bit_ceil(2 * pool.size() + 1)) {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = 0; i < pool.size(); ++i) {
    std::size_t slot = xxh64(pool[i]) & mask;
    for (std::size_t probes = 0; slots_[slot] != 0; slot = (slot + 1) & mask) {
      if (++probes > kMaxProbes || pool[slots_[slot] - 1] == pool[i]) {
        throw Error(ErrorCode::invalid_format, where + ": a text occurs twice, or too many share a hash");
      }
    }
    slots_[slot] = static_cast<std::uint32_t>(i) + 1;
  }
}

std::optional<std::uint32_t> TextLookup::find(const TextPool& pool, std::string_view text) const noexcept {
  if (slots_.empty()) return std::nullopt;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = xxh64(text) & mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
    if (pool[slots_[slot] - 1] == text) return slots_[slot] - 1;
  }
  return std::nullopt;
}

}  // namespace shortlist::table
