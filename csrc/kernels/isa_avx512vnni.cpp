// The scan of interleaved codes for avx512 with VNNI.
#if defined(__x86_64__)
#include "kernels/codes.hpp"
#include "kernels/vec/avx512.hpp"
#include "kernels/vec/codes_avx512.hpp"

// Written over the lanes above.
#include "kernels/body/codes.inl.hpp"

namespace shortlist {
const CodeKernels kAvx512VnniCodeKernels = kCodes;
}  // namespace shortlist
#endif
