// Whether the arrays of a compiled forest hold together: after this no walk over them can go astray.
#pragma once

#include <vector>

#include "trees/forest.hpp"

namespace shortlist::trees {

// Throws invalid_format or unsupported, naming the array (and the tree). Returns what the walk needs of each
// tree.
[[nodiscard]] std::vector<Tree> check_forest(const ForestArrays& arrays);

}  // namespace shortlist::trees
