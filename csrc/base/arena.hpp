// Scratch memory of one thread: a bump allocator that keeps its memory between requests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <type_traits>

namespace shortlist {

// After a few requests one chunk fits a whole request and nothing more is taken from the heap.
// Memory beyond kKeepBytes is given back by reset(), so one huge request does not stay resident.
class Arena {
 public:
  static constexpr std::size_t kFirstChunkBytes = std::size_t{1} << 18;
  static constexpr std::size_t kKeepBytes = std::size_t{1} << 25;

  Arena() = default;
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Uninitialised, aligned to 64 bytes where `bytes` is at least 64, else to 16. Throws std::bad_alloc.
  [[nodiscard]] void* allocate(std::size_t bytes) {
    const std::size_t alignment = bytes >= 64 ? 64 : 16;
    const std::size_t start = (used_ + alignment - 1) & ~(alignment - 1);
    if (chunk_ != nullptr && start <= size_ && bytes <= size_ - start) {
      used_ = start + bytes;
      return chunk_ + start;
    }
    return allocate_slow(bytes);
  }

  template <class T>
  [[nodiscard]] std::span<T> array(std::size_t size) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= 16);
    if (size > PTRDIFF_MAX / sizeof(T)) throw std::bad_alloc();
    return {static_cast<T*>(allocate(size * sizeof(T))), size};
  }

  // Forgets everything handed out; merges chunks into one that would have fitted it all.
  void reset() noexcept;

 private:
  struct Header {
    std::byte* previous;
    std::size_t size;
  };
  void* allocate_slow(std::size_t bytes);
  void release_all() noexcept;

  std::byte* chunk_ = nullptr;  // begins with a Header
  std::size_t size_ = 0;        // of the chunk, header included
  std::size_t used_ = 0;        // in the chunk, header included
  std::size_t total_ = 0;       // of all chunks
};

}  // namespace shortlist
