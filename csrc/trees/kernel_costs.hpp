// What a forest's kernels cost on the machine that compiled it, and which of them serves how many rows.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace shortlist::trees {

// Nanoseconds; 0 for a kernel that the forest does not have.
struct KernelCosts {
  std::string machine;    // machine_of_kernels() where they were measured
  double walk = 0.0;      // a row
  double lookup = 0.0;    // a row
  double bitslice = 0.0;  // a narrow block, however many rows are in it
};

// What costs depend on besides the forest: the instruction set, and whether programs are compiled.
[[nodiscard]] std::string machine_of_kernels();

// As a file's metadata hold costs.
[[nodiscard]] std::string to_json(const KernelCosts& costs);
// For people.
[[nodiscard]] std::string text_of(const KernelCosts& costs);
// Throws invalid_format.
[[nodiscard]] KernelCosts kernel_costs_of(std::string_view json);

struct KernelUse {
  bool looks_up = false;          // fewer rows than these
  std::size_t bitslice_from = 0;  // rows; more than there can be where none are
};
struct KernelForms {
  bool lookup, bitslice;  // what the forest has
};
// By the costs.
[[nodiscard]] KernelUse use_of(const KernelCosts& costs, const KernelForms& forms) noexcept;
// Where there are none of this machine: what is so for most forests.
[[nodiscard]] KernelUse usual_use(const KernelForms& forms) noexcept;

}  // namespace shortlist::trees
