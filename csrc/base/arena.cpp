#include "base/arena.hpp"

#include <algorithm>

namespace shortlist {
namespace {
constexpr std::size_t kHeaderBytes = 64;  // keeps what follows aligned
constexpr std::align_val_t kChunkAlignment{64};
}  // namespace

Arena::~Arena() { release_all(); }

void* Arena::allocate_slow(std::size_t bytes) {
  if (bytes > PTRDIFF_MAX / 2) throw std::bad_alloc();
  const std::size_t size = std::max({kFirstChunkBytes, total_, bytes + 2 * kHeaderBytes});
  auto* chunk = static_cast<std::byte*>(::operator new(size, kChunkAlignment));
  *reinterpret_cast<Header*>(chunk) = Header{chunk_, size_};
  chunk_ = chunk;
  size_ = size;
  total_ += size;
  used_ = kHeaderBytes + bytes;
  return chunk_ + kHeaderBytes;
}

void Arena::release_all() noexcept {
  while (chunk_ != nullptr) {
    const Header header = *reinterpret_cast<const Header*>(chunk_);
    ::operator delete(chunk_, kChunkAlignment);
    chunk_ = header.previous;
    size_ = header.size;
  }
  size_ = used_ = total_ = 0;
}

void Arena::reset() noexcept {
  if (chunk_ == nullptr) return;
  const bool one_chunk = size_ == total_;
  if (one_chunk && total_ <= kKeepBytes) {
    used_ = kHeaderBytes;
    return;
  }
  const std::size_t wanted = std::min(total_, kKeepBytes);
  release_all();
  // One chunk for next time; if memory is short the next allocation says so.
  if (auto* chunk = static_cast<std::byte*>(::operator new(wanted, kChunkAlignment, std::nothrow))) {
    *reinterpret_cast<Header*>(chunk) = Header{nullptr, 0};
    chunk_ = chunk;
    size_ = total_ = wanted;
    used_ = kHeaderBytes;
  }
}

}  // namespace shortlist
