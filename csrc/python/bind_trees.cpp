// Compiled forests: built from NumPy arrays, scoring NumPy matrices without the GIL.
#include <algorithm>
#include <string>

#include "base/arena.hpp"
#include "base/error.hpp"
#include "base/thread_pool.hpp"
#include "python/bindings.hpp"
#include "trees/forest.hpp"

namespace shortlist::python {
namespace {

using trees::Forest;
using trees::ForestArrays;

// Fewer rows than this are not worth another thread.
constexpr std::size_t kMinRowsPerTask = 64;

template <class T>
std::span<const T> tensor(const py::dict& arrays, const char* name) {
  if (!arrays.contains(name)) {
    throw Error(ErrorCode::invalid_format, "compiled forest: array \"" + std::string(name) + "\" is missing");
  }
  const py::object value = arrays[name];
  if (!py::isinstance<py::array>(value)) {
    throw Error(ErrorCode::invalid_format, "compiled forest: \"" + std::string(name) + "\" is no array");
  }
  const auto array = py::reinterpret_borrow<py::array>(value);
  const bool plain = py::isinstance<py::array_t<T>>(array) && array.ndim() == 1 &&
                     (array.flags() & py::array::c_style) != 0 &&
                     reinterpret_cast<std::uintptr_t>(array.data()) % alignof(T) == 0;
  if (!plain) {
    throw Error(ErrorCode::invalid_format, "compiled forest: array \"" + std::string(name) +
                                               "\" is not one-dimensional, contiguous and of type " +
                                               py::cast<std::string>(py::str(py::dtype::of<T>())));
  }
  return {static_cast<const T*>(array.data()), static_cast<std::size_t>(array.size())};
}

Forest forest_from_arrays(const py::dict& arrays) {
  const auto u32 = [&](const char* name) { return tensor<std::uint32_t>(arrays, name); };
  return Forest(ForestArrays{
      .header = u32("header"),
      .scale = tensor<double>(arrays, "scale"),
      .thresholds = tensor<double>(arrays, "thresholds"),
      .threshold_offsets = u32("threshold_offsets"),
      .categories = u32("categories"),
      .category_offsets = u32("category_offsets"),
      .view_features = u32("view_features"),
      .view_kinds = tensor<std::uint8_t>(arrays, "view_kinds"),
      .tree_roots = u32("tree_roots"),
      .nodes = tensor<std::uint64_t>(arrays, "nodes"),
      .values = tensor<double>(arrays, "values"),
      .tree_bitsets = u32("tree_bitsets"),
      .bitset_offsets = u32("bitset_offsets"),
      .bitset_words = u32("bitset_words"),
  });
}

template <class T>
void predict_part(const Forest& forest, const T* rows, std::size_t n, bool raw, double* out) {
  thread_local Arena arena;
  arena.reset();
  const std::span<std::byte> scratch = arena.array<std::byte>(forest.scratch_bytes(n));
  forest.predict(rows, n, raw, out, scratch.data());
}

template <class T>
void predict_all(const Forest& forest, const T* rows, std::size_t n, bool raw, double* out,
                 std::size_t n_threads) {
  const std::size_t n_tasks = std::min(n_threads, std::max<std::size_t>(n / kMinRowsPerTask, 1));
  parallel_for(n_tasks, n_threads, [&](std::size_t task) {
    const std::size_t begin = n * task / n_tasks;
    const std::size_t end = n * (task + 1) / n_tasks;
    predict_part(forest, rows + begin * forest.n_features(), end - begin, raw,
                 out + begin * forest.n_outputs());
  });
}

std::string shape_text(const py::array& array) { return py::cast<std::string>(py::str(array.attr("shape"))); }

void check_rows(const Forest& forest, const py::array& rows) {
  if (rows.ndim() != 2 || static_cast<std::size_t>(rows.shape(1)) != forest.n_features()) {
    throw Error(ErrorCode::invalid_argument, "X: got shape " + shape_text(rows) + ", expected (n, " +
                                                 std::to_string(forest.n_features()) + ")");
  }
  if ((rows.flags() & py::array::c_style) == 0) {
    throw Error(ErrorCode::invalid_argument, "X: expected rows that are contiguous in memory (C order)");
  }
}

void check_out(const Forest& forest, const py::array& out, std::size_t n) {
  const bool flat = out.ndim() == 1 && forest.n_outputs() == 1 && static_cast<std::size_t>(out.shape(0)) == n;
  const bool matrix = out.ndim() == 2 && static_cast<std::size_t>(out.shape(0)) == n &&
                      static_cast<std::size_t>(out.shape(1)) == forest.n_outputs();
  if (!flat && !matrix) {
    throw Error(ErrorCode::invalid_argument,
                "out: got shape " + shape_text(out) + ", expected (" + std::to_string(n) +
                    (forest.n_outputs() == 1 ? ",)" : ", " + std::to_string(forest.n_outputs()) + ")"));
  }
  if (!py::isinstance<py::array_t<double>>(out) || (out.flags() & py::array::c_style) == 0 ||
      !out.writeable()) {
    throw Error(ErrorCode::invalid_argument, "out: expected a writeable float64 array in C order");
  }
}

void predict(const Forest& forest, const py::array& rows, bool raw, py::array& out, std::size_t n_threads) {
  check_rows(forest, rows);
  const auto n = static_cast<std::size_t>(rows.shape(0));
  check_out(forest, out, n);
  if (n_threads == 0) throw Error(ErrorCode::invalid_argument, "n_threads: got 0, expected at least 1");
  auto* scores = static_cast<double*>(out.mutable_data());
  const void* data = rows.data();
  const bool f32 = py::isinstance<py::array_t<float>>(rows);
  if (!f32 && !py::isinstance<py::array_t<double>>(rows)) {
    throw Error(ErrorCode::invalid_argument,
                "X: expected float32 or float64, got " + py::cast<std::string>(py::str(rows.dtype())));
  }
  const py::gil_scoped_release unlocked;
  if (f32) {
    predict_all(forest, static_cast<const float*>(data), n, raw, scores, n_threads);
  } else {
    predict_all(forest, static_cast<const double*>(data), n, raw, scores, n_threads);
  }
}

}  // namespace

void register_trees(py::module_& module) {
  py::class_<Forest>(module, "Forest")
      .def(py::init(&forest_from_arrays), py::arg("arrays"))
      .def_property_readonly("n_features", &Forest::n_features)
      .def_property_readonly("n_outputs", &Forest::n_outputs)
      .def_property_readonly("n_trees", &Forest::n_trees)
      .def("predict", &predict, py::arg("rows").noconvert(), py::arg("raw"), py::arg("out").noconvert(),
           py::arg("n_threads"));
}

}  // namespace shortlist::python
