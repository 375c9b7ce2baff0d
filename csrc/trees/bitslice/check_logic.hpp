// Refuses a logic program (kernels/logic.hpp) that is not one: before any kernel or compiler sees it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/logic.hpp"

namespace shortlist {

// The vectors that a program sees: it reads those below first_writable as they are, the others after it has
// stored to them.
struct LogicMemory {
  std::size_t n_vectors;
  std::size_t first_writable;
};

// Checks programs, one after another; keeps its memory between them.
class LogicCheck {
 public:
  // No program may store to more vectors than these.
  explicit LogicCheck(std::size_t max_writable) : stored_by_(max_writable, 0) {}

  // Throws invalid_format, naming the program (`index` in its file) and the instruction, for an unknown
  // operation, a register or vector that is not there, a store to what is read only, a value in a field that
  // the operation does not use, and for a register or vector that is read before it is written. A table reads
  // those of its inputs on which it depends.
  void run(std::span<const LogicInstruction> program, std::size_t index, const LogicMemory& memory);

  // Whether the last program leaves a value of its own, or one that was there before any, in a vector.
  [[nodiscard]] bool has_value(std::uint32_t vector) const noexcept;

 private:
  class Walk;

  // By writable vector: the number of the last program that stored to it, counted by program_ from 1.
  std::vector<std::uint32_t> stored_by_;
  std::uint32_t program_ = 0;
  LogicMemory memory_ = {0, 0};
};

}  // namespace shortlist
