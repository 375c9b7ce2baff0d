// Logic programs (kernels/logic.hpp) compiled to AVX-512 machine code, where the machine allows it.
//
// Pages are written first and made executable, no longer writable, before anything runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/logic.hpp"

namespace shortlist {

// Whether machine code may be made here: on x86-64 where AVX-512 is the chosen instruction set (cpu/isa.hpp),
// unless SHORTLIST_JIT is 0. Throws invalid_argument where SHORTLIST_JIT is set to anything but 0 or 1.
[[nodiscard]] bool jit_allowed();

// Owns the machine code of some programs; one that is not available owns nothing, and its programs are left
// to the interpreter.
class LogicJit {
 public:
  LogicJit() = default;
  // Compiles programs that have passed check_logic() over n_vectors vectors of 16, 32 or 64 bytes. Not
  // available where machine code is not allowed, or where the system grants no executable pages. Throws what
  // jit_allowed throws; invalid_argument for another size of vector; unsupported for memory of more than 2^31
  // bytes.
  LogicJit(std::span<const std::span<const LogicInstruction>> programs, std::size_t vector_bytes,
           std::size_t n_vectors);
  ~LogicJit();
  LogicJit(LogicJit&& other) noexcept;
  LogicJit& operator=(LogicJit&& other) noexcept;

  [[nodiscard]] bool available() const noexcept { return pages_ != nullptr; }
  // The machine code, for whoever wants to know its place or size; empty where not available.
  [[nodiscard]] std::span<const std::byte> code() const noexcept { return {pages_, code_bytes_}; }

  // Runs one program over memory as LogicKernels do, aligned to 64 bytes. Only where available.
  void run(std::size_t program, std::byte* memory) const noexcept {
    reinterpret_cast<void (*)(std::byte*)>(reinterpret_cast<std::uintptr_t>(pages_ + starts_[program]))(
        memory);
  }

 private:
  std::byte* pages_ = nullptr;
  std::size_t page_bytes_ = 0;
  std::size_t code_bytes_ = 0;
  std::vector<std::size_t> starts_;  // of each program, in the code
};

}  // namespace shortlist
