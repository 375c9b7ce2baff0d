// Columns as the Python layer gives them: borrowed, checked, never copied.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "features/transform.hpp"
#include "python/bindings.hpp"

namespace shortlist::python {

// Exactly this dtype and shape and contiguous: the Python layer converts, nothing is copied here.
template <class T>
[[nodiscard]] py::array_t<T, py::array::c_style> exact_array(const py::handle& object,
                                                             py::ssize_t n_dimensions, const char* what) {
  using Array = py::array_t<T, py::array::c_style>;
  if (!py::isinstance<Array>(object)) {
    throw Error(ErrorCode::invalid_argument, std::string(what) + " has the wrong dtype or is not contiguous");
  }
  auto array = py::reinterpret_borrow<Array>(object);
  if (array.ndim() != n_dimensions) {
    throw Error(ErrorCode::invalid_argument, std::string(what) + " has " + std::to_string(array.ndim()) +
                                                 " dimensions, expected " + std::to_string(n_dimensions));
  }
  return array;
}

// Valid as long as `object`.
template <class T>
[[nodiscard]] std::span<const T> exact_vector(const py::handle& object, const char* what) {
  const auto array = exact_array<T>(object, 1, what);
  return {array.data(), static_cast<std::size_t>(array.size())};
}

// None, a float64 array, or a tuple (bytes, int64 offsets, uint8 missing).
[[nodiscard]] inline features::Column as_column(const py::handle& object) {
  if (object.is_none()) return {};
  if (!py::isinstance<py::tuple>(object))
    return features::Column(exact_vector<double>(object, "a column of numbers"));
  const auto parts = py::reinterpret_borrow<py::tuple>(object);
  if (parts.size() != 3 || !py::isinstance<py::bytes>(parts[0])) {
    throw Error(ErrorCode::invalid_argument, "a text column is (bytes, offsets, missing)");
  }
  char* bytes = nullptr;
  Py_ssize_t size = 0;
  if (PyBytes_AsStringAndSize(py::object(parts[0]).ptr(), &bytes, &size) != 0) throw py::error_already_set();
  return features::Column({bytes, static_cast<std::size_t>(size)},
                          exact_vector<std::int64_t>(parts[1], "offsets"),
                          exact_vector<std::uint8_t>(parts[2], "missing"));
}

[[nodiscard]] inline std::vector<features::Column> as_columns(const py::list& objects) {
  std::vector<features::Column> columns;
  columns.reserve(objects.size());
  for (const py::handle object : objects) columns.push_back(as_column(object));
  return columns;
}

}  // namespace shortlist::python
