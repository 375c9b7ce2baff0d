#include "cpu/isa.hpp"
#include "kernels/kernels.hpp"

namespace shortlist {

const KernelTable& kernels_of(Isa isa) noexcept {
  switch (isa) {
#if defined(__x86_64__)
    case Isa::avx2:
      return kAvx2Kernels;
    case Isa::avx512:
      return kAvx512Kernels;
    case Isa::avx512vbmi: {
      static const KernelTable table = [] {
        KernelTable made = kAvx512Kernels;
        made.isa = "avx512vbmi";
        made.lookup = kAvx512VbmiKernels.lookup;
        made.blocks.narrow.outside_sets_by_code = kAvx512VbmiKernels.narrow_sets_by_code;
        made.blocks.wide.outside_sets_by_code = kAvx512VbmiKernels.wide_sets_by_code;
        return made;
      }();
      return table;
    }
#elif defined(__aarch64__)
    case Isa::neon:
      return kNeonKernels;
#endif
    default:
      return kPortableKernels;
  }
}

const KernelTable& active_kernels() {
  static const KernelTable& table = kernels_of(chosen_isa());
  return table;
}

}  // namespace shortlist
