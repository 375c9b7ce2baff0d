// Hostile bit-sliced forms are refused before anything runs them.
#pragma once

#include <cstddef>

#include "trees/bitslice/arrays.hpp"
#include "trees/forest_arrays.hpp"

namespace shortlist::trees {

// The forest has passed check_forest(). Throws invalid_format naming array and tree. What passes can be run
// safely, and gives the same leaves each time; whether it computes the forest's leaves is up to whoever
// compiled it.
void check_bitslice(const ForestArrays& forest, const BitsliceArrays& arrays);

}  // namespace shortlist::trees
