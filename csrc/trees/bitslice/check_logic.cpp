#include "trees/bitslice/check_logic.hpp"

#include <array>
#include <bit>
#include <string>

#include "base/error.hpp"

namespace shortlist {
namespace {

static_assert(std::endian::native == std::endian::little);

// What an operation with a table does, a bit each.
constexpr unsigned kReadsTarget = 1, kReadsFirst = 2, kReadsSecond = 4, kReadsVector = 8;
constexpr unsigned kWritesTarget = 16, kStores = 32, kHasVector = 64;

constexpr unsigned inputs_of(unsigned table, unsigned third) {
  const unsigned a = ((table >> 4 ^ table) & 0x0Fu) != 0 ? kReadsTarget : 0;
  const unsigned b = ((table >> 2 ^ table) & 0x33u) != 0 ? kReadsFirst : 0;
  return a | b | (((table >> 1 ^ table) & 0x55u) != 0 ? third : 0);
}

constexpr std::array<std::uint8_t, 256 * kLogicOps> kActions = [] {
  std::array<std::uint8_t, 256 * kLogicOps> made = {};
  const auto set = [&made](LogicOp op, unsigned table, unsigned actions) {
    made[256 * static_cast<std::size_t>(op) + table] = static_cast<std::uint8_t>(actions);
  };
  for (unsigned table = 0; table < 256; ++table) {
    set(LogicOp::load, table, kReadsVector | kHasVector | kWritesTarget);
    set(LogicOp::store, table, kReadsTarget | kStores | kHasVector);
    set(LogicOp::select, table, inputs_of(table, kReadsSecond) | kWritesTarget);
    set(LogicOp::select_memory, table, inputs_of(table, kReadsVector) | kHasVector | kWritesTarget);
  }
  return made;
}();

// Bits of an instruction that are 0 in each operation: those beyond the last operation and register, and
// fields without use.
constexpr std::uint64_t kNoOp = 0xFC, kNoTable = 0xFF00, kNoTarget = 0xE00000, kNoFirst = 0xE0000000;
constexpr std::uint64_t kUnusedFirst = 0xFF000000, kNoSecond = 0xFFFFFFE000000000;
constexpr std::array<std::uint64_t, kLogicOps> kZeros = {
    kNoOp | kNoTable | kNoTarget | kUnusedFirst,
    kNoOp | kNoTable | kNoTarget | kUnusedFirst,
    kNoOp | kNoTarget | kNoFirst | kNoSecond,
    kNoOp | kNoTarget | kNoFirst,
};

// Each is 0 where an instruction, or all of several, do not have the fault.
struct Faults {
  std::uint64_t fields = 0;
  std::uint32_t registers = 0;  // without a value
  bool vector = false;

  [[nodiscard]] bool any() const noexcept { return (fields | registers) != 0 || vector; }
  void add(const Faults& more) noexcept {
    fields |= more.fields;
    registers |= more.registers;
    vector |= more.vector;
  }
};

const char* name_of(const Faults& faults, const LogicInstruction& in, const LogicMemory& memory) {
  if ((faults.fields & kNoOp) != 0) return "unknown operation";
  const bool select = in.op == LogicOp::select, store = in.op == LogicOp::store;
  if (in.target >= kLogicRegisters || in.first >= kLogicRegisters ||
      (select && in.operand >= kLogicRegisters))
    return "no such register";
  if (!select && in.operand >= memory.n_vectors) return "no such vector";
  if (faults.fields != 0) return "a field that the operation does not use is not 0";
  if (faults.vector)
    return store ? "stores to a vector that is read only" : "reads a vector before it is written";
  return store ? "stores a register before it is written" : "reads a register before it is written";
}

}  // namespace

// One way through a program. What branches depend on is mostly the same from one instruction to the next:
// programs are long, and operations would be mispredicted.
class LogicCheck::Walk {
 public:
  explicit Walk(LogicCheck& check) noexcept
      : stored_by_(check.stored_by_.data()),
        program_(++check.program_),
        first_writable_(check.memory_.first_writable),
        n_writable_(check.memory_.n_vectors - check.memory_.first_writable) {}

  Faults step(const LogicInstruction& in) noexcept {
    const auto word = std::bit_cast<std::uint64_t>(in);
    const unsigned op = word & 3u, target = word >> 16 & 31u, first = word >> 24 & 31u;
    const unsigned actions = kActions[256 * op + in.table];
    const std::uint32_t reads = (actions & kReadsTarget) << target | (actions / kReadsFirst & 1u) << first |
                                (actions / kReadsSecond & 1u) << (in.operand & 31u);
    const bool vector = in.operand < first_writable_ ? (actions & kStores) != 0
                                                     : !may_have(in.operand - first_writable_, actions);
    const Faults faults{word & kZeros[op], reads & ~written_, vector};
    written_ |= (actions / kWritesTarget & 1u) << target;
    return faults;
  }

 private:
  // A vector that may be written, or the second register of an operation.
  bool may_have(std::size_t vector, unsigned actions) noexcept {
    if ((actions & kHasVector) == 0) return true;
    if (vector >= n_writable_) return false;
    if ((actions & kStores) != 0) stored_by_[vector] = program_;
    return (actions & kReadsVector) == 0 || stored_by_[vector] == program_;
  }

  std::uint32_t* stored_by_;
  std::uint32_t program_;
  std::uint32_t written_ = 0;  // a bit for each register that has a value
  std::size_t first_writable_, n_writable_;
};

void LogicCheck::run(std::span<const LogicInstruction> program, std::size_t index,
                     const LogicMemory& memory) {
  if (memory.first_writable > memory.n_vectors ||
      memory.n_vectors - memory.first_writable > stored_by_.size()) {
    throw Error(ErrorCode::invalid_argument, "memory of logic programs: more vectors to write than foreseen");
  }
  memory_ = memory;
  Walk walk(*this);
  Faults all;
  for (const LogicInstruction& in : program) all.add(walk.step(in));
  if (!all.any()) return;
  Walk again(*this);
  for (std::size_t i = 0; i < program.size(); ++i) {
    const Faults faults = again.step(program[i]);
    if (faults.any()) {
      throw Error(ErrorCode::invalid_format, "logic program " + std::to_string(index) + ", instruction " +
                                                 std::to_string(i) + ": " +
                                                 name_of(faults, program[i], memory));
    }
  }
}

bool LogicCheck::has_value(std::uint32_t vector) const noexcept {
  if (vector < memory_.first_writable) return true;
  return vector < memory_.n_vectors && stored_by_[vector - memory_.first_writable] == program_;
}

}  // namespace shortlist
