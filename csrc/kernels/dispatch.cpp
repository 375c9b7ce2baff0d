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

#if defined(__x86_64__)
bool has_avx512_vnni() noexcept { return __builtin_cpu_supports("avx512vnni") != 0; }
#endif

const CodeKernels& active_code_kernels() {
#if defined(__x86_64__)
  static const CodeKernels& codes =
      chosen_isa() == Isa::avx512 && has_avx512_vnni() ? kAvx512VnniCodeKernels : active_kernels().codes;
#else
  static const CodeKernels& codes = active_kernels().codes;
#endif
  return codes;
}

const KernelTable& active_kernels() {
  static const KernelTable& table = table_of(chosen_isa());
  return table;
}

}  // namespace shortlist
