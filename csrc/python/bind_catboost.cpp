// CatBoost's hash of categories, its derived columns and its transforms, alone.
#include <algorithm>
#include <string>
#include <string_view>

#include "python/arrays.hpp"
#include "python/bindings.hpp"
#include "trees/city_hash.hpp"
#include "trees/ctr.hpp"
#include "trees/transform.hpp"

namespace shortlist::python {
namespace {

py::array_t<std::uint32_t> hash_texts(const py::list& texts) {
  py::array_t<std::uint32_t> hashes(static_cast<py::ssize_t>(texts.size()));
  std::uint32_t* out = hashes.mutable_data();
  for (const py::handle text : texts) {
    if (!py::isinstance<py::str>(text)) {
      throw Error(ErrorCode::invalid_argument,
                  "texts: " + std::string(py::str(py::type::of(text))) + ", expected a list of str");
    }
    *out++ = trees::hash_of_text(py::cast<std::string_view>(text));
  }
  return hashes;
}

py::array_t<std::int64_t> hash_cells(const Array<double>& cells) {
  const auto numbers = as_vector(cells, "cells");
  py::array_t<std::int64_t> hashes(static_cast<py::ssize_t>(numbers.size()));
  std::int64_t* out = hashes.mutable_data();
  for (const double number : numbers) *out++ = trees::hash_of_cell(number);
  return hashes;
}

template <class T>
std::span<const T> tensor(const py::dict& tensors, const char* name) {
  const std::string full = std::string("ctr_") + name;
  if (!tensors.contains(full.c_str())) {
    throw Error(ErrorCode::invalid_format, "the compiled model: no tensor " + full);
  }
  const py::object value = tensors[full.c_str()];
  if (!py::isinstance<Array<T>>(value)) {
    throw Error(ErrorCode::invalid_format, "the compiled model: " + full + " has another type of elements");
  }
  return as_vector(py::reinterpret_borrow<Array<T>>(value), full.c_str());
}

trees::CtrArrays ctr_arrays(const py::dict& tensors) {
  trees::CtrArrays arrays;
  arrays.element_offsets = tensor<std::uint32_t>(tensors, "element_offsets");
  arrays.element_kinds = tensor<std::uint8_t>(tensors, "element_kinds");
  arrays.element_features = tensor<std::uint32_t>(tensors, "element_features");
  arrays.element_borders = tensor<float>(tensors, "element_borders");
  arrays.element_hashes = tensor<std::uint32_t>(tensors, "element_hashes");
  arrays.shifts = tensor<std::uint8_t>(tensors, "shifts");
  arrays.slot_offsets = tensor<std::uint64_t>(tensors, "slot_offsets");
  arrays.slot_keys = tensor<std::uint64_t>(tensors, "slot_keys");
  arrays.slot_rows = tensor<std::uint32_t>(tensors, "slot_rows");
  arrays.column_offsets = tensor<std::uint32_t>(tensors, "column_offsets");
  arrays.value_offsets = tensor<std::uint64_t>(tensors, "value_offsets");
  arrays.values = tensor<float>(tensors, "values");
  arrays.defaults = tensor<float>(tensors, "defaults");
  return arrays;
}

template <class T>
py::array_t<float> compute_ctrs(const py::dict& tensors, const Array<T>& rows) {
  if (rows.ndim() != 2) throw Error(ErrorCode::invalid_argument, "rows: expected 2 dimensions");
  const auto n_rows = static_cast<std::size_t>(rows.shape(0));
  const auto n_features = static_cast<std::size_t>(rows.shape(1));
  const trees::Ctrs ctrs(ctr_arrays(tensors), n_features);
  py::array_t<float> out({rows.shape(0), static_cast<py::ssize_t>(ctrs.size())});
  float* const to = out.mutable_data();
  {
    const py::gil_scoped_release unlocked;
    ctrs.compute(rows.data(), n_rows, n_features, to);
  }
  return out;
}

py::array_t<double> transformed(const Array<double>& raw_scores, std::uint32_t transform) {
  if (raw_scores.ndim() != 2) throw Error(ErrorCode::invalid_argument, "raw_scores: expected 2 dimensions");
  const auto n_outputs = static_cast<std::size_t>(raw_scores.shape(1));
  if (n_outputs == 0 || !trees::is_transform(transform, static_cast<std::uint32_t>(n_outputs))) {
    throw Error(ErrorCode::invalid_argument, "transform " + std::to_string(transform) + " of " +
                                                 std::to_string(n_outputs) + " outputs is unknown");
  }
  py::array_t<double> out({raw_scores.shape(0), raw_scores.shape(1)});
  std::copy_n(raw_scores.data(), raw_scores.size(), out.mutable_data());
  trees::apply_transform(static_cast<trees::Transform>(transform), 1.0, n_outputs,
                         static_cast<std::size_t>(raw_scores.shape(0)), out.mutable_data());
  return out;
}

}  // namespace

void register_catboost(py::module_& module) {
  module.def("catboost_hash_texts", &hash_texts, py::arg("texts"));
  module.def("catboost_hash_cells", &hash_cells, py::arg("cells").noconvert());
  module.def("catboost_transform", &transformed, py::arg("raw_scores").noconvert(), py::arg("transform"));
  module.def("catboost_ctrs", &compute_ctrs<float>, py::arg("tensors"), py::arg("rows").noconvert());
  module.def("catboost_ctrs", &compute_ctrs<double>, py::arg("tensors"), py::arg("rows").noconvert());
}

}  // namespace shortlist::python
