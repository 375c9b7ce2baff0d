// Refuses a logic program (kernels/logic.hpp) that is not one: before any kernel or compiler sees it.
#pragma once

#include <cstddef>
#include <span>

#include "kernels/logic.hpp"

namespace shortlist {

// The vectors that a program sees: it reads all of them and stores to those from first_writable on.
struct LogicMemory {
  std::size_t n_vectors;
  std::size_t first_writable;
};

// Throws invalid_format, naming the program (`index` in its file) and the instruction, for an unknown
// operation, a register or vector that is not there, a store to what is read only, a value in a field that
// the operation does not use, and for a register that is read before it is written. A table reads those of
// its inputs on which it depends.
void check_logic(std::span<const LogicInstruction> program, std::size_t index, const LogicMemory& memory);

}  // namespace shortlist
