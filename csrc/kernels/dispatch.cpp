#include "cpu/isa.hpp"
#include "kernels/kernels.hpp"

namespace shortlist {
namespace {

const KernelTable& table_of(Isa isa) {
  switch (isa) {
#if defined(__x86_64__)
    case Isa::avx2:
      return kAvx2Kernels;
    case Isa::avx512:
      return kAvx512Kernels;
#elif defined(__aarch64__)
    case Isa::neon:
      return kNeonKernels;
#endif
    default:
      return kPortableKernels;
  }
}

}  // namespace

const KernelTable& active_kernels() {
  static const KernelTable& table = table_of(chosen_isa());
  return table;
}

}  // namespace shortlist
