#include "trees/bitslice/emitter.hpp"

#include "base/error.hpp"

namespace shortlist {
namespace {

constexpr unsigned kRdi = 7;

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
  if (code_.size() - size_ < kMaxInstructionBytes) {
    throw Error(ErrorCode::invalid_argument, "machine code of logic programs: no room left");
  }
}

void LogicEmitter::instruction(const LogicInstruction& in) noexcept {
  switch (in.op) {
    case LogicOp::load:
      return on_memory(kLoad, in.target, 0, in.operand);
    case LogicOp::store:
      return on_memory(kStore, in.target, 0, in.operand);
    case LogicOp::select:
      on_register(kSelect, in.target, in.first, in.operand);
      return put(in.table);
    case LogicOp::select_memory:
      on_memory(kSelect, in.target, in.first, in.operand);
      return put(in.table);
  }
}

void LogicEmitter::finish() noexcept {
  if (vector_bytes_ > 16) {  // VZEROUPPER, so that the caller's SSE code does not wait for upper halves
    put(0xC5);
    put(0xF8);
    put(0x77);
  }
  put(0xC3);  // RET
}

// The four bytes of the prefix and the opcode.
void LogicEmitter::evex(Opcode opcode, unsigned reg, unsigned second, unsigned last) noexcept {
  const unsigned length = vector_bytes_ == 64 ? 2 : vector_bytes_ == 32 ? 1 : 0;
  put(0x62);
  put(inverted_bit(reg, 3, 7) | inverted_bit(last, 4, 6) | inverted_bit(last, 3, 5) |
      inverted_bit(reg, 4, 4) | static_cast<unsigned>(opcode.map));
  put(1u << 7 | (~second & 15u) << 3 | 1u << 2 | static_cast<unsigned>(opcode.prefix));
  put(length << 5 | inverted_bit(second, 4, 3));
  put(opcode.byte);
}

void LogicEmitter::on_register(Opcode opcode, unsigned reg, unsigned second, unsigned last) noexcept {
  evex(opcode, reg, second, last);
  put(0xC0u | (reg & 7u) << 3 | (last & 7u));
}

// A displacement of one byte counts vectors, one of four counts bytes.
void LogicEmitter::on_memory(Opcode opcode, unsigned reg, unsigned second, std::uint32_t vector) noexcept {
  evex(opcode, reg, second, kRdi);
  if (vector < 128) {
    put(0x40u | (reg & 7u) << 3 | kRdi);
    return put(vector);
  }
  put(0x80u | (reg & 7u) << 3 | kRdi);
  const std::size_t offset = vector * vector_bytes_;
  for (unsigned shift = 0; shift < 32; shift += 8) put(static_cast<unsigned>(offset >> shift & 0xFFu));
}

}  // namespace shortlist
