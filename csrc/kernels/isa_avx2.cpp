// The kernels for avx2.
#if defined(__x86_64__)
#include "kernels/kernels.hpp"
#include "kernels/vec/avx2.hpp"
#include "kernels/vec/bits.hpp"

// Written over the lanes above.
#include "kernels/body/bitslice.inl.hpp"
#include "kernels/body/distance.inl.hpp"
#include "kernels/body/logic.inl.hpp"
#include "kernels/body/select.inl.hpp"

namespace shortlist {
const KernelTable kAvx2Kernels = {
    "avx2",
    metric_rows<Dot>,
    metric_rows<SquaredDifference>,
    select_at_least,
    kLogic,
    {bitslice_kernels<kNarrowVectorBytes>(), bitslice_kernels<kWideVectorBytes>()}};
}  // namespace shortlist
#endif
