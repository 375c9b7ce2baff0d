// Random logic programs, and what they compute, found bit by bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "kernels/logic.hpp"
#include "trees/bitslice/check_logic.hpp"

using LogicProgram = std::vector<shortlist::LogicInstruction>;

// A valid program of n instructions over `memory`: all operations, tables and registers, and vectors both
// near and far. Begins by loading registers, so that the rest may read any of them.
inline LogicProgram random_program(std::mt19937& random, std::size_t n,
                                   const shortlist::LogicMemory& memory) {
  using shortlist::LogicOp;
  const auto below = [&random](std::size_t bound) { return static_cast<std::uint32_t>(random() % bound); };
  const auto reg = [&] { return static_cast<std::uint8_t>(below(shortlist::kLogicRegisters)); };
  const auto near_or_far = [&](std::size_t count) {
    return below(below(2) == 0 && count > 130 ? 130 : count);
  };
  std::vector<std::uint32_t> stored;
  const auto readable = [&] {
    const bool own = !stored.empty() && (memory.first_writable == 0 || below(2) == 0);
    return own ? stored[below(stored.size())] : near_or_far(memory.first_writable);
  };
  LogicProgram program;
  for (std::size_t i = 0; i < n; ++i) {
    const auto table = static_cast<std::uint8_t>(below(256));
    const bool begins = i < shortlist::kLogicRegisters;
    const auto op = begins ? LogicOp::load : static_cast<LogicOp>(below(4));
    switch (op) {
      case LogicOp::load:
        program.push_back({op, 0, begins ? static_cast<std::uint8_t>(i) : reg(), 0, readable()});
        break;
      case LogicOp::store:
        stored.push_back(static_cast<std::uint32_t>(memory.first_writable) +
                         near_or_far(memory.n_vectors - memory.first_writable));
        program.push_back({op, 0, reg(), 0, stored.back()});
        break;
      case LogicOp::select:
        program.push_back({op, table, reg(), reg(), below(shortlist::kLogicRegisters)});
        break;
      case LogicOp::select_memory:
        program.push_back({op, table, reg(), reg(), readable()});
        break;
    }
  }
  return program;
}

inline void check_logic(const LogicProgram& program, std::size_t index,
                        const shortlist::LogicMemory& memory) {
  shortlist::LogicCheck(memory.n_vectors - memory.first_writable).run(program, index, memory);
}

using LogicBytes = shortlist::AlignedBuffer<std::byte>;

inline LogicBytes random_bytes(std::mt19937& random, std::size_t n) {
  LogicBytes bytes(n);
  for (std::byte& byte : bytes.span()) byte = static_cast<std::byte>(random());
  return bytes;
}
inline LogicBytes copy_of(const LogicBytes& bytes) {
  LogicBytes copy(bytes.size());
  std::memcpy(copy.data(), bytes.data(), bytes.size());
  return copy;
}
inline bool same_bytes(const LogicBytes& a, const LogicBytes& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0;
}

// Runs the program on each bit position alone.
inline void run_bit_by_bit(const LogicProgram& program, std::size_t vector_bytes, std::byte* memory) {
  for (std::size_t row = 0; row < 8 * vector_bytes; ++row) {
    const unsigned shift = row % 8;
    const auto at = [&](std::size_t vector) -> std::byte& { return memory[vector * vector_bytes + row / 8]; };
    const auto bit = [&](std::size_t vector) { return std::to_integer<unsigned>(at(vector) >> shift) & 1u; };
    unsigned registers[shortlist::kLogicRegisters] = {};
    for (const shortlist::LogicInstruction& in : program) {
      unsigned& target = registers[in.target];
      if (in.op == shortlist::LogicOp::load) {
        target = bit(in.operand);
      } else if (in.op == shortlist::LogicOp::store) {
        at(in.operand) =
            (at(in.operand) & ~(std::byte{1} << shift)) | static_cast<std::byte>(target << shift);
      } else {
        const unsigned c = in.op == shortlist::LogicOp::select ? registers[in.operand] : bit(in.operand);
        target = static_cast<unsigned>(in.table) >> (4 * target + 2 * registers[in.first] + c) & 1u;
      }
    }
  }
}
