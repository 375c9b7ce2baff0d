// Which of the kernels scores how many rows: measured costs, or what SHORTLIST_TREE_KERNEL forces.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace shortlist::trees {

enum class TreeKernel {
  walk,      // eight walks side by side: any forest, any machine
  bitslice,  // predicates as bitmaps, trees as programs of logic: many rows
};

[[nodiscard]] std::string_view tree_kernel_name(TreeKernel kernel) noexcept;

// What SHORTLIST_TREE_KERNEL names; none where it is unset or empty. Throws invalid_argument on another name.
[[nodiscard]] std::optional<TreeKernel> forced_tree_kernel();

}  // namespace shortlist::trees
