#include "cpu/isa.hpp"

#include <array>
#include <cstdlib>

#include "base/error.hpp"

namespace shortlist {
namespace {

constexpr std::array<Isa, 5> kAll = {Isa::portable, Isa::avx2, Isa::avx512, Isa::avx512vbmi, Isa::neon};

bool supported(Isa isa) {
  switch (isa) {
    case Isa::portable:
      return true;
#if defined(__x86_64__)
    case Isa::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
             __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("lzcnt") &&
             __builtin_cpu_supports("popcnt");
    case Isa::avx512:
      return supported(Isa::avx2) && __builtin_cpu_supports("avx512f") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd");
    case Isa::avx512vbmi:
      return supported(Isa::avx512) && __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("gfni");
#elif defined(__aarch64__)
    case Isa::neon:
      return true;  // part of the base architecture
#endif
    default:
      return false;
  }
}

}  // namespace

std::string_view isa_name(Isa isa) noexcept {
  switch (isa) {
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
    case Isa::avx512vbmi:
      return "avx512vbmi";
    case Isa::neon:
      return "neon";
    case Isa::portable:
      break;
  }
  return "portable";
}

const std::vector<Isa>& available_isas() {
  static const std::vector<Isa> isas = [] {
    std::vector<Isa> found;
    for (const Isa isa : kAll) {
      if (supported(isa)) found.push_back(isa);
    }
    return found;
  }();
  return isas;
}

Isa chosen_isa() {
  const std::vector<Isa>& isas = available_isas();
  const char* forced = std::getenv("SHORTLIST_ISA");
  if (forced == nullptr || *forced == '\0') return isas.back();
  std::string names;
  for (const Isa isa : isas) {
    if (isa_name(isa) == forced) return isa;
    names += (names.empty() ? "" : ", ");
    names += isa_name(isa);
  }
  throw Error(ErrorCode::invalid_argument, "SHORTLIST_ISA: got \"" + std::string(forced) +
                                               "\", expected one that this processor has: " + names);
}

}  // namespace shortlist
