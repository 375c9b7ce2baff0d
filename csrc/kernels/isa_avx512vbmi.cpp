// What AVX-512 with VBMI and GFNI does otherwise than AVX-512 alone.
#if defined(__x86_64__)
#include "kernels/kernels.hpp"
#include "kernels/vec/count_avx512.hpp"

// Written over the counts above.
#include "kernels/body/row_bytes.inl.hpp"

#include "kernels/body/lookup_avx512vbmi.inl.hpp"
#include "kernels/body/sets_gfni.inl.hpp"

namespace shortlist {
const Avx512VbmiKernels kAvx512VbmiKernels = {lookup_in_registers(), outside_sets_by_code<kNarrowVectorBytes>,
                                              outside_sets_by_code<kWideVectorBytes>};
}  // namespace shortlist
#endif
