// The kernels for avx2.
#if defined(__x86_64__)
#include "kernels/kernels.hpp"
#include "kernels/vec/avx2.hpp"
#include "kernels/vec/bits.hpp"
#include "kernels/vec/count.hpp"
#include "kernels/vec/search_avx2.hpp"
#include "kernels/vec/transpose_avx2.hpp"

// Written over the lanes above.
#include "kernels/body/bitslice.inl.hpp"
#include "kernels/body/distance.inl.hpp"
#include "kernels/body/logic.inl.hpp"
#include "kernels/body/row_bytes.inl.hpp"
// Behind the bytes of rows, which its table names.
#include "kernels/body/lookup.inl.hpp"
#include "kernels/body/planes.inl.hpp"
#include "kernels/body/rank_search.inl.hpp"
#include "kernels/body/rank_tree.inl.hpp"
#include "kernels/body/select.inl.hpp"

namespace shortlist {
const KernelTable kAvx2Kernels = {
    "avx2",
    metric_rows<Dot>,
    metric_rows<SquaredDifference>,
    select_at_least,
    kLogic,
    {bitslice_kernels<kNarrowVectorBytes>(), bitslice_kernels<kWideVectorBytes>()},
    {float_columns, double_columns, rank_in_registers<FloatSearch>, rank_by_search<double>, transpose16},
    lookup_by_step()};
}  // namespace shortlist
#endif
