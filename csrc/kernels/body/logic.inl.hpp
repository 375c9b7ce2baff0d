#include <array>
#include <cstring>

#include "kernels/logic_kernels.hpp"

namespace shortlist {
namespace {

template <std::size_t Bytes>
void run_logic(const LogicInstruction* code, std::size_t n, std::byte* memory) noexcept {
  typedef std::uint64_t Vector __attribute__((vector_size(Bytes)));
  Vector r[kLogicRegisters] = {};
  for (std::size_t i = 0; i < n; ++i) {
    const LogicInstruction& in = code[i];
    if (in.op == LogicOp::load) {
      std::memcpy(&r[in.target], memory + in.operand * Bytes, Bytes);
    } else if (in.op == LogicOp::store) {
      std::memcpy(memory + in.operand * Bytes, &r[in.target], Bytes);
    } else {
      Vector c;
      if (in.op == LogicOp::select) c = r[in.operand];
      else std::memcpy(&c, memory + in.operand * Bytes, Bytes);
      const Vector a = r[in.target], b = r[in.first];
      Vector out = {};
      for (unsigned at = 0; at < 8; ++at) {
        if ((in.table >> at & 1) == 0) continue;
        out |= (at & 4 ? a : ~a) & (at & 2 ? b : ~b) & (at & 1 ? c : ~c);
      }
      r[in.target] = out;
    }
  }
}

}  // namespace
}  // namespace shortlist
