// Which instruction set the kernels use: what the processor has, or what SHORTLIST_ISA forces.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace shortlist {

// avx512vbmi is avx512 with VBMI and GFNI.
enum class Isa { portable, avx2, avx512, avx512vbmi, neon };

[[nodiscard]] std::string_view isa_name(Isa isa) noexcept;
// Sets this processor and operating system can run, slowest first; `portable` always.
[[nodiscard]] const std::vector<Isa>& available_isas();
// The fastest of them, or the one SHORTLIST_ISA names.
// Throws invalid_argument where that is unknown or absent.
[[nodiscard]] Isa chosen_isa();

}  // namespace shortlist
