// Interpreters of logic programs (kernels/logic.hpp), one for each size of vector.
#pragma once

#include <cstddef>

#include "kernels/logic.hpp"

namespace shortlist {

// Runs n instructions over `memory`, which is aligned to 64 bytes; vector i lies at i times the vector's
// bytes. Registers begin as zeros. Nothing is checked: trees/bitslice/check_logic.hpp comes before.
struct LogicKernels {
  void (*run_narrow)(const LogicInstruction* code, std::size_t n, std::byte* memory) noexcept;
  void (*run_wide)(const LogicInstruction* code, std::size_t n, std::byte* memory) noexcept;
};

}  // namespace shortlist
