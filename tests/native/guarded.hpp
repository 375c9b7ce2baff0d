// An array that ends where an unreadable page begins: one element read or written too far is a crash in any
// build.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <new>
#include <span>

template <class T>
class Guarded {
 public:
  explicit Guarded(std::size_t size) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t usable = (size * sizeof(T) + page - 1) / page * page;
    bytes_ = usable + page;
    base_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base_ == MAP_FAILED) throw std::bad_alloc();
    std::byte* const guard = static_cast<std::byte*>(base_) + usable;
    if (mprotect(guard, page, PROT_NONE) != 0) throw std::bad_alloc();
    values_ = {reinterpret_cast<T*>(guard) - size, size};
  }
  ~Guarded() { munmap(base_, bytes_); }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  [[nodiscard]] std::span<T> span() const { return values_; }
  [[nodiscard]] T* data() const { return values_.data(); }
  T& operator[](std::size_t i) const { return values_[i]; }

 private:
  void* base_ = nullptr;
  std::size_t bytes_ = 0;
  std::span<T> values_;
};
