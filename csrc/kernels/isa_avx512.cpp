// The kernels for avx512.
#if defined(__x86_64__)
#include "kernels/kernels.hpp"
#include "kernels/vec/avx512.hpp"
#include "kernels/vec/bits_avx512.hpp"
#include "kernels/vec/count_avx512.hpp"
#include "kernels/vec/search_avx512.hpp"
#include "kernels/vec/transpose_avx512.hpp"

// Written over the lanes above.
#include "kernels/body/distance.inl.hpp"
#include "kernels/body/leaves_avx512.inl.hpp"
#include "kernels/body/logic.inl.hpp"
#include "kernels/body/row_bytes.inl.hpp"
// Behind the bytes of rows, which its table names.
#include "kernels/body/lookup.inl.hpp"
#include "kernels/body/planes.inl.hpp"
#include "kernels/body/rank_tree.inl.hpp"
#include "kernels/body/select.inl.hpp"

namespace shortlist {
const KernelTable kAvx512Kernels = {
    "avx512",
    metric_rows<Dot>,
    metric_rows<SquaredDifference>,
    select_at_least,
    kLogic,
    {avx512_bitslice_kernels<kNarrowVectorBytes>(), avx512_bitslice_kernels<kWideVectorBytes>()},
    {float_columns, double_columns, rank_in_registers<FloatSearch>, rank_in_registers<DoubleSearch>,
     transpose16},
    lookup_by_step()};
}  // namespace shortlist
#endif
