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
struct Form {
  std::uint64_t word;
  bool on_memory;
  std::uint8_t n_tables;  // bytes after the displacement
};
constexpr std::uint64_t evex(std::uint64_t map, std::uint64_t prefix, std::uint64_t opcode) {
  constexpr std::uint64_t kW1 = 0x84;  // 64-bit elements, and a bit that is always set
  return 0x62 | map << 8 | (kW1 | prefix) << 16 | opcode << 32;
}
constexpr std::uint64_t kMap0F = 1, kMap0F3A = 3, kPrefix66 = 1, kPrefixF3 = 2;
constexpr Form kForms[kLogicOps] = {
    {evex(kMap0F, kPrefixF3, 0x6F), true, 0},     // load: VMOVDQU64
    {evex(kMap0F, kPrefixF3, 0x7F), true, 0},     // store: VMOVDQU64
    {evex(kMap0F3A, kPrefix66, 0x25), false, 1},  // select: VPTERNLOGQ
    {evex(kMap0F3A, kPrefix66, 0x25), true, 1},   // select_memory: VPTERNLOGQ
};

// EVEX stores the bits of registers inverted, the high ones each in a place of its own.
constexpr std::uint64_t inverted_bit(std::uint32_t value, unsigned bit, unsigned place) {
  return std::uint64_t{~value >> bit & 1u} << place;
}

// Writes one instruction, as two words of which the next overwrites what is too much, and returns its size.
// No branch depends on the instruction: programs are long, and would be mispredicted.
inline std::size_t encode(const LogicInstruction& in, std::uint64_t length, std::size_t vector_bytes,
                          std::byte* at) noexcept {
  const Form& form = kForms[static_cast<std::size_t>(in.op)];
  const std::uint32_t reg = in.target;
  const std::uint32_t second = in.first;
  const std::uint32_t last = form.on_memory ? kRdi : in.operand;
  const bool near = in.operand < 128;
  const std::uint64_t mode = !form.on_memory ? 0xC0 : near ? 0x40 : 0x80;
  // A displacement of one byte counts vectors, one of four counts bytes.
  const std::size_t displacement_bytes = !form.on_memory ? 0 : near ? 1 : 4;
  const std::uint64_t displacement = !form.on_memory ? 0 : in.operand * (near ? 1 : vector_bytes);

  const std::uint64_t p0 =
      inverted_bit(reg, 3, 7) | inverted_bit(last, 4, 6) | inverted_bit(last, 3, 5) | inverted_bit(reg, 4, 4);
  const std::uint64_t p1 = std::uint64_t{~second & 15u} << 3;
  const std::uint64_t p2 = length << 5 | inverted_bit(second, 4, 3);
  const std::uint64_t operands = mode | (reg & 7u) << 3 | (last & 7u);
  const std::uint64_t head = form.word | p0 << 8 | p1 << 16 | p2 << 24 | operands << 40;
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
  std::size_t size = size_;
  for (const LogicInstruction& in : program) size += encode(in, length, vector_bytes_, room_at(size));
  // VZEROUPPER, without which the SSE code of the caller would wait for the upper halves; RET.
  const bool wide = vector_bytes_ > 16;
  const std::uint64_t end = wide ? 0xC377F8C5 : 0xC3;
  std::memcpy(room_at(size), &end, sizeof end);
  size += wide ? 4 : 1;
  return std::exchange(size_, size);
}

// Where the next instruction may be written.
std::byte* LogicEmitter::room_at(std::size_t position) const {
  if (code_.size() - position < kWrittenBytes) {
    throw Error(ErrorCode::invalid_argument, "machine code of logic programs: no room left");
  }
  return code_.data() + position;
}

}  // namespace shortlist
