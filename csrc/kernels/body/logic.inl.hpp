// The interpreter of logic programs. Included once per instruction set, after its vec/bits header.
//
// Programs are long and hardly ever repeat within what a branch predictor remembers, so a jump for each
// instruction would be mispredicted about as often as not: 15 to 20 cycles. Here only stores, rare and mostly
// at the end of a program, are a branch. Every other operation is one table of three inputs, and a table is
// evaluated as its polynomial over GF(2), table(a, b, c) = m0 ^ c m1 ^ b m2 ^ bc m3 ^ a m4 ^ ac m5 ^ ab m6 ^
// abc m7, with its coefficients as masks: seven steps x ^ (y & z).
#pragma once

namespace {

using shortlist::kLogicOps;
using shortlist::kLogicRegisters;
using shortlist::LogicInstruction;
using shortlist::LogicOp;

inline constexpr std::size_t kRowOfLoad = 256;  // after the rows of the tables: always c

struct LogicMasks {
  struct alignas(64) Row {
    std::uint64_t mask[8];
  };
  Row row[257];
};

constexpr LogicMasks make_logic_masks() {
  LogicMasks masks{};
  for (unsigned i = 0; i <= kRowOfLoad; ++i) {
    // From values to coefficients: the Reed-Muller transform, one input at a time.
    unsigned bits = i == kRowOfLoad ? 0xAAu : i;
    bits ^= (bits & 0x55u) << 1;
    bits ^= (bits & 0x33u) << 2;
    bits ^= (bits & 0x0Fu) << 4;
    for (unsigned k = 0; k < 8; ++k) masks.row[i].mask[k] = (bits >> k & 1u) != 0 ? ~std::uint64_t{0} : 0;
  }
  return masks;
}
constexpr LogicMasks kLogicMasks = make_logic_masks();

template <std::size_t kBytes>
void run_logic(const LogicInstruction* code, std::size_t n, std::byte* memory) noexcept {
  using Vector = Bits<kBytes>;
  alignas(64) std::byte registers[kLogicRegisters * kBytes];
  for (std::size_t i = 0; i < kLogicRegisters; ++i) Vector::repeat(0).store(registers + i * kBytes);
  // By operation: load, store, select, select_memory.
  std::byte* const operands[kLogicOps] = {memory, memory, registers, memory};
  static constexpr std::size_t kFirstRow[kLogicOps] = {kRowOfLoad, 0, 0, 0};

  for (const LogicInstruction* const end = code + n; code != end; ++code) {
    // The fields of an instruction, fetched at once.
    static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
    std::uint64_t word;
    std::memcpy(&word, code, sizeof word);
    const std::size_t op = word & 0xFF;
    const std::size_t table = word >> 8 & 0xFF;
    std::byte* const target = registers + (word >> 16 & 0xFF) * kBytes;
    const std::byte* const first = registers + (word >> 24 & 0xFF) * kBytes;
    std::byte* const operand = operands[op] + (word >> 32) * kBytes;

    const Vector a = Vector::load(target);
    if (op == static_cast<std::size_t>(LogicOp::store)) [[unlikely]] {
      a.store(operand);
      continue;
    }
    const Vector b = Vector::load(first);
    const Vector c = Vector::load(operand);
    const std::uint64_t* const m = kLogicMasks.row[kFirstRow[op] + table].mask;
    const Vector low = xor_and(xor_and(Vector::repeat(m[0]), c, Vector::repeat(m[1])), b,
                               xor_and(Vector::repeat(m[2]), c, Vector::repeat(m[3])));
    const Vector high = xor_and(xor_and(Vector::repeat(m[4]), c, Vector::repeat(m[5])), b,
                                xor_and(Vector::repeat(m[6]), c, Vector::repeat(m[7])));
    xor_and(low, a, high).store(target);
  }
}

constexpr shortlist::LogicKernels kLogic = {run_logic<shortlist::kNarrowVectorBytes>,
                                            run_logic<shortlist::kWideVectorBytes>};

}  // namespace
