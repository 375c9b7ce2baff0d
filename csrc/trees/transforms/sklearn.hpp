// scikit-learn's softmax, whose sum NumPy adds up in blocks.
//
// Source: scikit-learn sklearn/utils/extmath.py, NumPy numpy/_core/src/umath/loops_utils.h.src.
#pragma once

#include <cstddef>

namespace shortlist::trees {

// In place, the outputs of one row, the greatest taken off first; n is at least 1.
void softmax_by_blocks(double* row, std::size_t n) noexcept;

}  // namespace shortlist::trees
