// CatBoost's transforms: those that go through its fast approximation of exp.
#pragma once

#include <cstddef>

namespace shortlist::trees {

// About exp(x), to some 2e-12 relative, clamped to what is finite and normal. The polynomial and the table of
// fmath's expd (Shigeo Mitsunari), which CatBoost uses on x86-64 with AVX2; every step in float64.
[[nodiscard]] double catboost_exp(double x) noexcept;

// Over the outputs of one row, the greatest taken off first.
void catboost_softmax(double* row, std::size_t n) noexcept;

}  // namespace shortlist::trees
