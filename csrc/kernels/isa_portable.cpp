// The kernels for every machine.
#include "kernels/kernels.hpp"
#include "kernels/vec/scalar.hpp"
#include "kernels/vec/transpose_scalar.hpp"

// Written over the lanes above.
#include "kernels/body/distance.inl.hpp"
#include "kernels/body/planes.inl.hpp"
#include "kernels/body/rank_search.inl.hpp"
#include "kernels/body/select.inl.hpp"

namespace shortlist {
const KernelTable kPortableKernels = {
    "portable",
    metric_rows<Dot>,
    metric_rows<SquaredDifference>,
    select_at_least,
    {float_columns, double_columns, rank_by_search<float>, rank_by_search<double>, transpose16}};
}  // namespace shortlist
