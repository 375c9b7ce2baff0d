#include "trees/kernel_choice.hpp"

#include <array>
#include <cstdlib>
#include <string>

#include "base/error.hpp"

namespace shortlist::trees {
namespace {

constexpr std::array kAll = {TreeKernel::walk, TreeKernel::bitslice};

}  // namespace

std::string_view tree_kernel_name(TreeKernel kernel) noexcept {
  return kernel == TreeKernel::bitslice ? "bitslice" : "walk";
}

std::optional<TreeKernel> forced_tree_kernel() {
  const char* forced = std::getenv("SHORTLIST_TREE_KERNEL");
  if (forced == nullptr || *forced == '\0') return std::nullopt;
  std::string names;
  for (const TreeKernel kernel : kAll) {
    if (tree_kernel_name(kernel) == forced) return kernel;
    names += (names.empty() ? "" : ", ");
    names += tree_kernel_name(kernel);
  }
  throw Error(ErrorCode::invalid_argument,
              "SHORTLIST_TREE_KERNEL: got \"" + std::string(forced) + "\", expected one of " + names);
}

}  // namespace shortlist::trees
