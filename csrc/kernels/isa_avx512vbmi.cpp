// What AVX-512 with VBMI and GFNI does otherwise than AVX-512 alone.
#if defined(__x86_64__)
#include "kernels/kernels.hpp"
#include "kernels/vec/count_avx512.hpp"

// Written over the counts above.
#include "kernels/body/page_ranks.inl.hpp"

#include "kernels/body/lookup_avx512vbmi.inl.hpp"

namespace shortlist {
const LookupKernels kLookupInRegisters = lookup_in_registers();
}  // namespace shortlist
#endif
