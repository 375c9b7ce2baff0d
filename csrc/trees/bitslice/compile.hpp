// The bit-sliced form of a forest, made once when a model is compiled.
#pragma once

#include "trees/bitslice/arrays.hpp"
#include "trees/forest_arrays.hpp"

namespace shortlist::trees {

// Of arrays without a bit-sliced form yet, which are checked first (throws invalid_format). All empty where
// some tree has more than 2^kMaxCodePlanes leaves.
[[nodiscard]] BitsliceVectors compile_bitslice(const ForestArrays& arrays);

}  // namespace shortlist::trees
