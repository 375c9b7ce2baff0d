// One function table per instruction set; every set returns the same bits.
//
// Sums of products run in one fixed order on every set: 16 lanes, lane j adding elements j, j + 16, ... by a
// rounded product and a rounded sum (never fused), then lanes folded 16 -> 8 -> 4 -> 2 -> 1 by halves.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/bitslice.hpp"
#include "kernels/logic_kernels.hpp"
#include "kernels/lookup.hpp"
#include "kernels/planes.hpp"

namespace shortlist {

enum class Isa;  // cpu/isa.hpp

struct KernelTable {
  const char* isa;

  // out[i] = <query, rows[i]>, rows of `dim` floats one after another. dim may be 0; no alignment needed.
  void (*dot_rows)(const float* query, const float* rows, std::size_t n_rows, std::size_t dim,
                   float* out) noexcept;
  // out[i] = |query - rows[i]|^2
  void (*l2sq_rows)(const float* query, const float* rows, std::size_t n_rows, std::size_t dim,
                    float* out) noexcept;
  // Writes the positions i with scores[i] >= floor to `out` in ascending order; returns how many. NaN never
  // passes. `out` has room for n.
  std::size_t (*select_at_least)(const float* scores, std::size_t n, float floor,
                                 std::uint32_t* out) noexcept;

  LogicKernels logic;
  BlockKernels blocks;
  PlaneKernels planes;
  LookupKernels lookup;
};

// The table of the chosen instruction set (cpu/isa.hpp); fixed after the first call.
// Throws on a bad SHORTLIST_ISA.
[[nodiscard]] const KernelTable& active_kernels();
// The table of an instruction set that this machine has.
[[nodiscard]] const KernelTable& kernels_of(Isa isa) noexcept;

extern const KernelTable kPortableKernels;
#if defined(__x86_64__)
extern const KernelTable kAvx2Kernels;
extern const KernelTable kAvx512Kernels;
// What AVX-512 has instead with VBMI and GFNI.
struct Avx512VbmiKernels {
  LookupKernels lookup;
  void (*narrow_sets_by_code)(const SetRows& sets) noexcept;
  void (*wide_sets_by_code)(const SetRows& sets) noexcept;
};
extern const Avx512VbmiKernels kAvx512VbmiKernels;
#elif defined(__aarch64__)
extern const KernelTable kNeonKernels;
#endif

}  // namespace shortlist
