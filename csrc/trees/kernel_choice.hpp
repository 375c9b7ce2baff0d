// The kernels that score rows, and the one of them that SHORTLIST_TREE_KERNEL forces.
#pragma once

#include <optional>

namespace shortlist::trees {

enum class TreeKernel {
  walk,      // eight walks side by side: any forest, any machine
  lookup,    // a row against whole trees in registers: few rows
  bitslice,  // predicates as bitmaps, trees as programs of logic: many rows
};

// What SHORTLIST_TREE_KERNEL names; none where it is unset or empty. Throws invalid_argument on another name.
[[nodiscard]] std::optional<TreeKernel> forced_tree_kernel();

}  // namespace shortlist::trees
