#include "trees/bitslice/check_logic.hpp"

#include <cstdint>
#include <string>

#include "base/error.hpp"

namespace shortlist {
namespace {

constexpr bool depends_on_a(unsigned table) { return ((table >> 4 ^ table) & 0x0Fu) != 0; }
constexpr bool depends_on_b(unsigned table) { return ((table >> 2 ^ table) & 0x33u) != 0; }
constexpr bool depends_on_c(unsigned table) { return ((table >> 1 ^ table) & 0x55u) != 0; }

// What is wrong with one instruction, or null; `written` holds a bit for each register that has a value.
const char* fault_of(const LogicInstruction& in, std::uint32_t written, const LogicMemory& memory) {
  const auto unset = [written](std::uint32_t r) { return (written >> r & 1u) == 0; };
  if (static_cast<std::uint8_t>(in.op) >= kLogicOps) return "unknown operation";
  if (in.target >= kLogicRegisters || in.first >= kLogicRegisters) return "no such register";
  if (in.op == LogicOp::select) {
    if (in.operand >= kLogicRegisters) return "no such register";
    if (depends_on_c(in.table) && unset(in.operand)) return "reads a register before it is written";
  } else if (in.operand >= memory.n_vectors) {
    return "no such vector";
  }
  if (in.op == LogicOp::load || in.op == LogicOp::store) {
    if (in.table != 0 || in.first != 0) return "a field that the operation does not use is not 0";
    if (in.op == LogicOp::load) return nullptr;
    if (in.operand < memory.first_writable) return "stores to a vector that is read only";
    return unset(in.target) ? "stores a register before it is written" : nullptr;
  }
  if ((depends_on_a(in.table) && unset(in.target)) || (depends_on_b(in.table) && unset(in.first))) {
    return "reads a register before it is written";
  }
  return nullptr;
}

}  // namespace

void check_logic(std::span<const LogicInstruction> program, std::size_t index, const LogicMemory& memory) {
  std::uint32_t written = 0;
  for (std::size_t i = 0; i < program.size(); ++i) {
    const LogicInstruction& in = program[i];
    if (const char* const fault = fault_of(in, written, memory)) {
      throw Error(ErrorCode::invalid_format, "logic program " + std::to_string(index) + ", instruction " +
                                                 std::to_string(i) + ": " + fault);
    }
    if (in.op != LogicOp::store) written |= std::uint32_t{1} << in.target;
  }
}

}  // namespace shortlist
