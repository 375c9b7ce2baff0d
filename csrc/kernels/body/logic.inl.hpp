// The interpreter of logic programs. Included once per instruction set, after its vec/bits header.
//
// Programs are long and hardly ever repeat within what a branch predictor remembers, so a jump for each
// instruction would be mispredicted about as often as not: 15 to 20 cycles. Here no branch depends on an
// instruction. Every operation is one table of three inputs, and a table is evaluated as its polynomial over
// GF(2), table(a, b, c) = m0 ^ c m1 ^ b m2 ^ bc m3 ^ a m4 ^ ac m5 ^ ab m6 ^ abc m7,
// with its coefficients as masks: seven steps x ^ (y & z).
#pragma once

namespace {

using shortlist::kLogicOps;
using shortlist::kLogicRegisters;
using shortlist::LogicInstruction;

// Rows beyond the tables themselves: the tables of the operations that name none.
inline constexpr std::size_t kRowOfC = 256;  // load
inline constexpr std::size_t kRowOfA = 257;  // store

struct LogicMasks {
  struct alignas(64) Row {
    std::uint64_t mask[8];
  };
  Row row[258];
};

constexpr LogicMasks make_logic_masks() {
  LogicMasks masks{};
  for (unsigned i = 0; i < 258; ++i) {
    // From values to coefficients: the Reed-Muller transform, one input at a time.
    unsigned bits = i == kRowOfC ? 0xAAu : i == kRowOfA ? 0xF0u : i;
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
  // By operation: load, store, select, select_memory. All of them read a vector at `operand` and write one.
  const std::byte* const read_from[kLogicOps] = {memory, memory, registers, memory};
  std::byte* const write_to[kLogicOps] = {registers, memory, registers, registers};
  static constexpr std::uint32_t kWritesOperand[kLogicOps] = {0, ~std::uint32_t{0}, 0, 0};
  static constexpr std::size_t kFirstRow[kLogicOps] = {kRowOfC, kRowOfA, 0, 0};

  for (const LogicInstruction* const end = code + n; code != end; ++code) {
    const LogicInstruction in = *code;
    const auto op = static_cast<std::size_t>(in.op);
    const std::uint64_t* const m = kLogicMasks.row[kFirstRow[op] + in.table].mask;
    const std::size_t written =
        (in.operand & kWritesOperand[op]) | (std::uint32_t{in.target} & ~kWritesOperand[op]);

    const Vector a = Vector::load(registers + std::size_t{in.target} * kBytes);
    const Vector b = Vector::load(registers + std::size_t{in.first} * kBytes);
    const Vector c = Vector::load(read_from[op] + std::size_t{in.operand} * kBytes);
    const Vector low = xor_and(xor_and(Vector::repeat(m[0]), c, Vector::repeat(m[1])), b,
                               xor_and(Vector::repeat(m[2]), c, Vector::repeat(m[3])));
    const Vector high = xor_and(xor_and(Vector::repeat(m[4]), c, Vector::repeat(m[5])), b,
                                xor_and(Vector::repeat(m[6]), c, Vector::repeat(m[7])));
    xor_and(low, a, high).store(write_to[op] + written * kBytes);
  }
}

constexpr shortlist::LogicKernels kLogic = {run_logic<shortlist::kNarrowVectorBytes>,
                                            run_logic<shortlist::kWideVectorBytes>};

}  // namespace
