// Floats to the codes of kernels/codes.hpp, and how far a code is off.
#pragma once

#include <cstddef>
#include <cstdint>

namespace shortlist::retrieval {

// The nearest float that is finite; the greatest for NaN. Searches whose numbers come near it scan in
// float32.
[[nodiscard]] float bounded(double value) noexcept;

// Writes dim signed codes, zeros up to n_codes, of values / scale rounded to even; returns the scale. Where
// every |value| is below about 1e-33 all codes are 0, and so is the scale.
float quantise(const float* values, std::size_t dim, std::size_t n_codes, std::int8_t* codes) noexcept;

// -128 times their sum, what CodedQuery needs.
[[nodiscard]] std::int32_t correction_of(const std::int8_t* codes, std::size_t n) noexcept;

// |values - scale * codes|, not too small by rounding.
[[nodiscard]] float code_error(const float* values, const std::int8_t* codes, float scale,
                               std::size_t dim) noexcept;

// |values| and its square in double, summed in order.
[[nodiscard]] double squared_norm(const float* values, std::size_t dim) noexcept;
// |values| as a float that is not too small.
[[nodiscard]] float norm_bound(const float* values, std::size_t dim) noexcept;

// Puts the codes of a vector into its lane of a group, whose bytes are at `group`.
void interleave(const std::int8_t* codes, std::size_t n_chunks, std::size_t lane,
                std::uint8_t* group) noexcept;

}  // namespace shortlist::retrieval
