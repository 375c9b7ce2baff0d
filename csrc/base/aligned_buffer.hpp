// A fixed-size array that starts at a multiple of 64 bytes: a cache line, and a register of AVX-512.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

namespace shortlist {

inline constexpr std::size_t kAlignment = 64;

// Elements are left uninitialised unless `zeroed` made the buffer.
template <class T>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t size)
      : data_(static_cast<T*>(::operator new(size * sizeof(T) + kAlignment, std::align_val_t{kAlignment}))),
        size_(size) {}
  [[nodiscard]] static AlignedBuffer zeroed(std::size_t size) {
    AlignedBuffer buffer(size);
    for (T& value : buffer.span()) value = T{};
    return buffer;
  }

  [[nodiscard]] T* data() noexcept { return data_.get(); }
  [[nodiscard]] const T* data() const noexcept { return data_.get(); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::span<T> span() noexcept { return {data_.get(), size_}; }
  [[nodiscard]] std::span<const T> span() const noexcept { return {data_.get(), size_}; }
  T& operator[](std::size_t i) noexcept { return data_.get()[i]; }
  const T& operator[](std::size_t i) const noexcept { return data_.get()[i]; }

 private:
  struct Free {
    void operator()(T* pointer) const noexcept { ::operator delete(pointer, std::align_val_t{kAlignment}); }
  };
  std::unique_ptr<T, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace shortlist
