// The kernels for avx512.
#if defined(__x86_64__)
#include "kernels/kernels.hpp"
#include "kernels/vec/avx512.hpp"
#include "kernels/vec/bits_avx512.hpp"

// Written over the lanes above.
#include "kernels/body/distance.inl.hpp"
#include "kernels/body/leaves_avx512.inl.hpp"
#include "kernels/body/logic.inl.hpp"
#include "kernels/body/select.inl.hpp"

namespace shortlist {
const KernelTable kAvx512Kernels = {
    "avx512",
    metric_rows<Dot>,
    metric_rows<SquaredDifference>,
    select_at_least,
    kLogic,
    {avx512_bitslice_kernels<kNarrowVectorBytes>(), avx512_bitslice_kernels<kWideVectorBytes>()}};
}  // namespace shortlist
#endif
