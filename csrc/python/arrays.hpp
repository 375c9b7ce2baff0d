// Checks of NumPy arrays at the boundary.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/error.hpp"
#include "python/bindings.hpp"

namespace shortlist::python {

// Arrays as they are: another dtype, or memory that is not C-contiguous, is refused by the overload, never
// copied.
template <class T>
using Array = py::array_t<T, py::array::c_style>;

template <class T>
[[nodiscard]] std::span<const T> as_vector(const Array<T>& array, const char* name) {
  if (array.ndim() != 1) {
    throw Error(ErrorCode::invalid_argument,
                std::string(name) + ": " + std::to_string(array.ndim()) + " dimensions, expected 1");
  }
  return {array.data(), static_cast<std::size_t>(array.shape(0))};
}

// rows x columns; columns must be `columns`.
template <class T>
[[nodiscard]] std::span<const T> as_matrix(const Array<T>& array, std::size_t columns, const char* name) {
  if (array.ndim() != 2 || static_cast<std::size_t>(array.shape(1)) != columns) {
    std::string shape;
    for (py::ssize_t i = 0; i < array.ndim(); ++i) {
      if (i != 0) shape += ", ";
      shape += std::to_string(array.shape(i));
    }
    throw Error(ErrorCode::invalid_argument,
                std::string(name) + ": shape (" + shape + "), expected (n, " + std::to_string(columns) + ")");
  }
  return {array.data(), static_cast<std::size_t>(array.size())};
}

}  // namespace shortlist::python
