#include "trees/bitslice/emitter.hpp"

#include "base/error.hpp"

namespace shortlist {
namespace {

constexpr unsigned kRdi = 7;
constexpr std::size_t kHeadBytes = 6;  // prefix, opcode, operands

// EVEX stores the high bits of registers inverted, each in a place of its own.
constexpr unsigned inverted_bit(unsigned value, unsigned bit, unsigned place) {
  return (~value >> bit & 1u) << place;
}

}  // namespace

LogicEmitter::LogicEmitter(std::span<std::byte> code, std::size_t vector_bytes) noexcept
    : code_(code), vector_bytes_(vector_bytes) {}

std::size_t LogicEmitter::function(std::span<const LogicInstruction> program) {
  const std::size_t start = size_;
  for (const LogicInstruction& in : program) {
    reserve();
    instruction(in);
  }
  reserve();
  finish();
  return start;
}

void LogicEmitter::reserve() const {
  if (code_.size() - size_ < kWrittenBytes) {
    throw Error(ErrorCode::invalid_argument, "machine code of logic programs: no room left");
  }
}

void LogicEmitter::instruction(const LogicInstruction& in) noexcept {
  switch (in.op) {
    case LogicOp::load:
      return on_memory(kLoad, in.target, 0, in.operand, 0);
    case LogicOp::store:
      return on_memory(kStore, in.target, 0, in.operand, 0);
    case LogicOp::select:
      return on_register(kSelect, in.target, in.first, in.operand, in.table);
    case LogicOp::select_memory:
      return on_memory(kSelect, in.target, in.first, in.operand, in.table);
  }
}

void LogicEmitter::finish() noexcept {
  constexpr std::uint64_t kVzeroupper = 0x77F8C5;
  constexpr std::uint64_t kRet = 0xC3;
  // Without it the SSE code of the caller would wait for the upper halves.
  if (vector_bytes_ > 16) put(kVzeroupper, 3);
  put(kRet, 1);
}

// The prefix, 62 P0 P1 P2, and the opcode; the byte of the operands is the caller's.
std::uint64_t LogicEmitter::evex(Opcode opcode, unsigned reg, unsigned second, unsigned last) const noexcept {
  const unsigned length = vector_bytes_ == 64 ? 2 : vector_bytes_ == 32 ? 1 : 0;
  const unsigned p0 = inverted_bit(reg, 3, 7) | inverted_bit(last, 4, 6) | inverted_bit(last, 3, 5) |
                      inverted_bit(reg, 4, 4) | static_cast<unsigned>(opcode.map);
  const unsigned p1 = 1u << 7 | (~second & 15u) << 3 | 1u << 2 | static_cast<unsigned>(opcode.prefix);
  const unsigned p2 = length << 5 | inverted_bit(second, 4, 3);
  return std::uint64_t{0x62u | p0 << 8 | p1 << 16 | p2 << 24} | std::uint64_t{opcode.byte} << 32;
}

void LogicEmitter::on_register(Opcode opcode, unsigned reg, unsigned second, unsigned last,
                               unsigned table) noexcept {
  const std::uint64_t operands = 0xC0u | (reg & 7u) << 3 | (last & 7u);
  put(evex(opcode, reg, second, last) | operands << 40, kHeadBytes);
  put(table, opcode.n_tables);
}

// A displacement of one byte counts vectors, one of four counts bytes.
void LogicEmitter::on_memory(Opcode opcode, unsigned reg, unsigned second, std::uint32_t vector,
                             unsigned table) noexcept {
  const bool near = vector < 128;
  const std::uint64_t operands = (near ? 0x40u : 0x80u) | (reg & 7u) << 3 | kRdi;
  const std::uint64_t displacement = near ? vector : vector * vector_bytes_;
  const unsigned displacement_bytes = near ? 1 : 4;
  put(evex(opcode, reg, second, kRdi) | operands << 40, kHeadBytes);
  put(displacement | std::uint64_t{table} << (8 * displacement_bytes), displacement_bytes + opcode.n_tables);
}

}  // namespace shortlist
