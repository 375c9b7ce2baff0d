// Writes the AVX-512 machine code of logic programs into memory of a fixed size.
//
// Encodings follow the Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, section 2.7
// (EVEX). A program becomes a function of the System V ABI: memory in RDI, register i in XMM, YMM or ZMM i,
// nothing else touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/logic.hpp"

namespace shortlist {

class LogicEmitter {
 public:
  // Room that programs of n instructions in all need at most: an instruction becomes at most 11 bytes (prefix
  // 4, opcode 1, operands 1, displacement 4, table 1), and whole words are written before the next overwrites
  // them.
  [[nodiscard]] static constexpr std::size_t room_for(std::size_t n_instructions,
                                                      std::size_t n_programs) noexcept {
    return kMaxInstructionBytes * (n_instructions + n_programs) + kWrittenBytes;
  }
  // As far as a displacement of 32 bits reaches.
  static constexpr std::size_t kMaxMemoryBytes = std::size_t{1} << 31;

  // Vectors are of 16, 32 or 64 bytes.
  LogicEmitter(std::span<std::byte> code, std::size_t vector_bytes) noexcept;

  // Appends one function; `program` has passed check_logic. Returns where it begins.
  // Throws invalid_argument where there is not room for it, before anything is written beyond `code`.
  std::size_t function(std::span<const LogicInstruction> program);

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  static constexpr std::size_t kMaxInstructionBytes = 11;
  static constexpr std::size_t kWrittenBytes = 16;

  [[nodiscard]] std::byte* with_room_for(std::size_t n) const;

  std::span<std::byte> code_;
  std::size_t size_ = 0;
  std::size_t vector_bytes_;
};

}  // namespace shortlist
