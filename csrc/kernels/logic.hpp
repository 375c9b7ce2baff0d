// Straight-line programs of bitwise logic: every bit position is a row, so an instruction works on a whole
// block of rows. The kernels of each instruction set interpret them; some machines compile them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace shortlist {

// A vector is a block of rows, one bit each, rows ascending from the lowest bit of the first byte.
inline constexpr std::size_t kNarrowVectorBytes = 16;  // 128 rows
inline constexpr std::size_t kWideVectorBytes = 64;    // 512 rows
inline constexpr std::size_t kLogicRegisters = 32;

enum class LogicOp : std::uint8_t {
  load,           // r[target] = memory[operand]
  store,          // memory[operand] = r[target]
  select,         // r[target] = table(r[target], r[first], r[second])
  select_memory,  // r[target] = table(r[target], r[first], memory[operand])
};
inline constexpr std::uint8_t kLogicOps = 4;

// table(a, b, c) is bit 4 a + 2 b + c of `table`, as in VPTERNLOG. Registers are below kLogicRegisters;
// what an operation does not use is 0.
struct LogicInstruction {
  LogicOp op;
  std::uint8_t table;
  std::uint8_t target;
  std::uint8_t first;
  std::uint32_t operand;  // a vector of memory; of `select` the second register
};
static_assert(sizeof(LogicInstruction) == 8);

}  // namespace shortlist
