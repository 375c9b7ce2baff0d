// Interpreters of logic programs.
#pragma once

#include <cstddef>

#include "kernels/logic.hpp"

namespace shortlist {

struct LogicKernels {
  void (*run_narrow)(const LogicInstruction* code, std::size_t n, std::byte* memory) noexcept;
  void (*run_wide)(const LogicInstruction* code, std::size_t n, std::byte* memory) noexcept;
};

}  // namespace shortlist
