#include "trees/kernel_costs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/error.hpp"
#include "cpu/isa.hpp"
#include "json/load.hpp"
#include "kernels/kernels.hpp"
#include "kernels/logic.hpp"
#include "trees/bitslice/jit.hpp"

namespace shortlist::trees {
namespace {

constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kNarrowRows = 8 * kNarrowVectorBytes;

double cost(const json::Document& document, std::string_view name) {
  const std::optional<json::Value> value = document.root().find(name);
  const bool good = value && value->is_number() && value->number() >= 0.0 && value->number() <= 1e12;
  if (!good) {
    throw Error(ErrorCode::invalid_format,
                "kernel_costs: " + std::string(name) + " is no number of nanoseconds from 0 to 1e12");
  }
  return value->number();
}

// In nanoseconds: no measurement is better.
std::string whole(double cost) { return std::to_string(std::llround(cost)); }

}  // namespace

std::string machine_of_kernels() {
  return std::string(isa_name(chosen_isa())) + (jit_allowed() ? "+jit" : "");
}

std::string to_json(const KernelCosts& costs) {
  return "{\"machine\":\"" + costs.machine + "\",\"walk\":" + whole(costs.walk) +
         ",\"lookup\":" + whole(costs.lookup) + ",\"bitslice\":" + whole(costs.bitslice) + "}";
}

std::string text_of(const KernelCosts& costs) {
  std::string text = "walk " + whole(costs.walk) + " ns a row";
  if (costs.lookup > 0.0) text += ", lookup " + whole(costs.lookup) + " ns a row";
  if (costs.bitslice > 0.0)
    text += ", bitslice " + whole(costs.bitslice) + " ns for " + std::to_string(kNarrowRows) + " rows";
  return text;
}

KernelCosts kernel_costs_of(std::string_view json) {
  const json::Document document(json, "kernel_costs");
  if (!document.root().is(json::Type::object))
    throw Error(ErrorCode::invalid_format, "kernel_costs: not a JSON object");
  const std::optional<json::Value> machine = document.root().find("machine");
  if (!machine || !machine->is(json::Type::string))
    throw Error(ErrorCode::invalid_format, "kernel_costs: machine is no string");
  return {std::string(machine->string()), cost(document, "walk"), cost(document, "lookup"),
          cost(document, "bitslice")};
}

KernelUse use_of(const KernelCosts& costs, const KernelForms& forms) noexcept {
  KernelUse use{forms.lookup && costs.lookup < costs.walk, kNever};
  if (!forms.bitslice) return use;
  const double row = std::max(use.looks_up ? costs.lookup : costs.walk, 1.0);
  const double rows = std::ceil(costs.bitslice / row);
  // A block of more rows than a narrow one has takes two of these.
  use.bitslice_from = rows < 1.0 ? 1 : static_cast<std::size_t>(std::min(rows, 2.0 * kNarrowRows));
  return use;
}

KernelUse usual_use(const KernelForms& forms) noexcept {
  KernelUse use{forms.lookup && active_kernels().lookup.in_registers, kNever};
  if (!forms.bitslice) return use;
  const std::size_t against_walk = jit_allowed() ? 24 : 64;
  use.bitslice_from = use.looks_up ? 48 : against_walk;
  return use;
}

}  // namespace shortlist::trees
