// Post transforms of ONNX's tree operators in ONNX Runtime's own float32 steps.
//
// Source: onnxruntime/core/providers/cpu/ml/ml_common.h.
#pragma once

#include <cstddef>

namespace shortlist::trees {

// In place, n rows of n_outputs; a sum in double is rounded to float32 first.
void float32_signed_logistic(std::size_t size, double* out) noexcept;
void float32_plain_softmax(std::size_t n_outputs, std::size_t n, double* out) noexcept;
void float32_nonzero_softmax(std::size_t n_outputs, std::size_t n, double* out) noexcept;
void float32_probit(std::size_t size, double* out) noexcept;
void float32_rounded(std::size_t size, double* out) noexcept;
void float32_complement(std::size_t n_outputs, std::size_t n, double* out) noexcept;

}  // namespace shortlist::trees
