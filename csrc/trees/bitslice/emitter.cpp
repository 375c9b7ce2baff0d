#include "trees/bitslice/emitter.hpp"

#include <bit>
#include <cstring>
#include <utility>

#include "base/error.hpp"

namespace shortlist {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::uint32_t kRdi = 7;

// What an operation becomes, as the low bytes of the word that begins it: 62 P0 P1 P2, opcode, operands.
constexpr std::uint64_t evex(std::uint64_t map, std::uint64_t prefix, std::uint64_t opcode) {
  constexpr std::uint64_t kW1 = 0x84;  // 64-bit elements, and a bit that is always set
  return 0x62 | map << 8 | (kW1 | prefix) << 16 | opcode << 32;
}
constexpr std::uint64_t kMap0F = 1, kMap0F3A = 3, kPrefix66 = 1, kPrefixF3 = 2;

// EVEX stores the bits of registers inverted, the high ones each in a place of its own.
constexpr std::uint64_t inverted_bit(std::uint32_t value, unsigned bit, unsigned place) {
  return std::uint64_t{~value >> bit & 1u} << place;
}
constexpr std::uint64_t last_operand(std::uint32_t reg) {
  return inverted_bit(reg, 4, 14) | inverted_bit(reg, 3, 13) | std::uint64_t{reg & 7u} << 40;
}

struct Form {
  std::uint64_t word;
  std::uint64_t on_memory;  // all bits or none
  std::uint8_t n_tables;    // bytes after the displacement
};
constexpr std::uint64_t kAll = ~std::uint64_t{0};
constexpr Form kForms[kLogicOps] = {
    {evex(kMap0F, kPrefixF3, 0x6F) | last_operand(kRdi), kAll, 0},    // load: VMOVDQU64
    {evex(kMap0F, kPrefixF3, 0x7F) | last_operand(kRdi), kAll, 0},    // store: VMOVDQU64
    {evex(kMap0F3A, kPrefix66, 0x25), 0, 1},                          // select: VPTERNLOGQ
    {evex(kMap0F3A, kPrefix66, 0x25) | last_operand(kRdi), kAll, 1},  // select_memory: VPTERNLOGQ
};

// What each register adds to the word as each of the operands.
struct Operands {
  std::uint64_t target[kLogicRegisters], first[kLogicRegisters], last[kLogicRegisters];
};
constexpr Operands kOperands = [] {
  Operands made = {};
  for (std::uint32_t reg = 0; reg < kLogicRegisters; ++reg) {
    made.target[reg] = inverted_bit(reg, 3, 15) | inverted_bit(reg, 4, 12) | std::uint64_t{reg & 7u} << 43;
    made.first[reg] = std::uint64_t{~reg & 15u} << 19 | inverted_bit(reg, 4, 27);
    made.last[reg] = last_operand(reg) | std::uint64_t{0xC0} << 40;
  }
  return made;
}();

// Writes one instruction, as two words of which the next overwrites what is too much, and returns its size.
// No branch depends on the instruction: programs are long, and would be mispredicted.
inline std::size_t encode(const LogicInstruction& in, std::uint64_t length, std::size_t vector_bytes,
                          std::byte* at) noexcept {
  const Form& form = kForms[static_cast<std::size_t>(in.op)];
  // A displacement of one byte counts vectors, one of four counts bytes.
  const bool near = in.operand < 128;
  const std::uint64_t mode = std::uint64_t{near ? 0x40u : 0x80u} << 40;
  const std::uint64_t address = near ? in.operand : in.operand * vector_bytes;
  const std::uint64_t n_address = near ? 1 : 4;
  const std::uint64_t last =
      (mode & form.on_memory) | (kOperands.last[in.operand % kLogicRegisters] & ~form.on_memory);
  const std::uint64_t displacement = address & form.on_memory;
  const std::uint64_t displacement_bytes = n_address & form.on_memory;
  const std::uint64_t head =
      form.word | kOperands.target[in.target] | kOperands.first[in.first] | last | length << 29;
  const std::uint64_t tail = displacement | std::uint64_t{in.table} << (8 * displacement_bytes);
  constexpr std::size_t kHeadBytes = 6;
  std::memcpy(at, &head, sizeof head);
  std::memcpy(at + kHeadBytes, &tail, sizeof tail);
  return kHeadBytes + displacement_bytes + form.n_tables;
}

}  // namespace

LogicEmitter::LogicEmitter(std::span<std::byte> code, std::size_t vector_bytes) noexcept
    : code_(code), vector_bytes_(vector_bytes) {}

std::size_t LogicEmitter::function(std::span<const LogicInstruction> program) {
  const std::uint64_t length = vector_bytes_ == 64 ? 2 : vector_bytes_ == 32 ? 1 : 0;
  std::byte* at = with_room_for(program.size());
  for (const LogicInstruction& in : program) at += encode(in, length, vector_bytes_, at);
  // VZEROUPPER, without which the SSE code of the caller would wait for the upper halves; RET.
  const bool wide = vector_bytes_ > 16;
  const std::uint64_t end = wide ? 0xC377F8C5 : 0xC3;
  std::memcpy(at, &end, sizeof end);
  at += wide ? 4 : 1;
  return std::exchange(size_, static_cast<std::size_t>(at - code_.data()));
}

// Where a function of n instructions may be written.
std::byte* LogicEmitter::with_room_for(std::size_t n) const {
  if (code_.size() - size_ < room_for(n, 1)) {
    throw Error(ErrorCode::invalid_argument, "machine code of logic programs: no room left");
  }
  return code_.data() + size_;
}

}  // namespace shortlist
