// Sole ownership of a structure of the Arrow C interfaces: released once, by whoever holds it last.
#pragma once

#include <utility>

namespace shortlist::arrow {

template <class Structure>
class Owned {
 public:
  Owned() = default;
  // Takes the structure over; `given` is left as a released one.
  explicit Owned(Structure& given) noexcept : structure_(std::exchange(given, Structure{})) {}
  Owned(Owned&& other) noexcept : structure_(std::exchange(other.structure_, Structure{})) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(structure_, other.structure_);
    return *this;
  }
  ~Owned() {
    if (structure_.release != nullptr) structure_.release(&structure_);
  }

  // False before anything is held, and at the end of a stream.
  [[nodiscard]] explicit operator bool() const noexcept { return structure_.release != nullptr; }
  [[nodiscard]] const Structure& operator*() const noexcept { return structure_; }
  [[nodiscard]] const Structure* operator->() const noexcept { return &structure_; }
  // For a producer to fill or to be called with.
  [[nodiscard]] Structure* get() noexcept { return &structure_; }

 private:
  Structure structure_{};
};

}  // namespace shortlist::arrow
