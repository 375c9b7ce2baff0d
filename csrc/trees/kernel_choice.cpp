#include "trees/kernel_choice.hpp"

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"

namespace shortlist::trees {
namespace {

constexpr std::array<std::pair<std::string_view, TreeKernel>, 3> kNames = {
    {{"walk", TreeKernel::walk}, {"lookup", TreeKernel::lookup}, {"bitslice", TreeKernel::bitslice}}};

}  // namespace

std::optional<TreeKernel> forced_tree_kernel() {
  const char* forced = std::getenv("SHORTLIST_TREE_KERNEL");
  if (forced == nullptr || *forced == '\0') return std::nullopt;
  std::string names;
  for (const auto& [name, kernel] : kNames) {
    if (name == forced) return kernel;
    names += (names.empty() ? "" : ", ");
    names += name;
  }
  throw Error(ErrorCode::invalid_argument,
              "SHORTLIST_TREE_KERNEL: got \"" + std::string(forced) + "\", expected one of " + names);
}

}  // namespace shortlist::trees
