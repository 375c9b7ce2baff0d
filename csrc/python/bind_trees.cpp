// Compiled forests: built from NumPy arrays, scoring NumPy matrices and sparse rows without the GIL.
#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <type_traits>

#include "base/arena.hpp"
#include "base/error.hpp"
#include "base/thread_pool.hpp"
#include "python/bindings.hpp"
#include "trees/bitslice/compile.hpp"
#include "trees/forest.hpp"
#include "trees/layout.hpp"

namespace shortlist::python {
namespace {

using trees::DenseRows;
using trees::Forest;
using trees::Rounds;
using trees::SparseRows;

// Fewer rows than this are not worth another thread.
constexpr std::size_t kMinRowsPerTask = 64;
// Where there are enough rows, a task has whole blocks of the widest kernel, and a thread that wakes late
// still finds tasks left.
constexpr std::size_t kBlockRows = 512;
constexpr std::size_t kTasksPerThread = 8;

std::size_t rows_per_task(std::size_t n, std::size_t n_threads) {
  const auto rounded_up = [](std::size_t rows, std::size_t unit) { return (rows + unit - 1) / unit * unit; };
  const std::size_t n_tasks = kTasksPerThread * n_threads;
  if (n_threads > 1 && n >= n_tasks * kBlockRows) return rounded_up((n + n_tasks - 1) / n_tasks, kBlockRows);
  return std::max((n + n_threads - 1) / n_threads, kMinRowsPerTask);
}

[[noreturn]] void reject(const std::string& why) { throw Error(ErrorCode::invalid_argument, why); }

template <class T>
bool is_plain(const py::array& array) {
  return py::isinstance<py::array_t<T>>(array) && (array.flags() & py::array::c_style) != 0 &&
         reinterpret_cast<std::uintptr_t>(array.data()) % alignof(T) == 0;
}

template <class T>
std::string dtype_name() {
  return py::cast<std::string>(py::str(py::dtype::of<T>()));
}

std::string shape_text(const py::array& array) { return py::cast<std::string>(py::str(array.attr("shape"))); }

template <class T>
std::span<const T> flat(const py::array& array) {
  return {static_cast<const T*>(array.data()), static_cast<std::size_t>(array.size())};
}

template <class T>
std::span<const T> tensor(const py::dict& arrays, const char* name) {
  const auto fail = [name](const std::string& why) {
    throw Error(ErrorCode::invalid_format, "compiled forest: array \"" + std::string(name) + "\" " + why);
  };
  if (!arrays.contains(name)) fail("is missing");
  const py::object value = arrays[name];
  if (!py::isinstance<py::array>(value)) fail("is no array");
  const auto array = py::reinterpret_borrow<py::array>(value);
  if (array.ndim() != 1 || !is_plain<T>(array))
    fail("is not one-dimensional, contiguous and of type " + dtype_name<T>());
  return flat<T>(array);
}

trees::ForestArrays forest_arrays(const py::dict& arrays) {
  trees::ForestArrays parts;
  trees::for_each_tensor(parts, [&]<class T>(const char* name, std::span<const T>& values) {
    values = tensor<T>(arrays, name);
  });
  return parts;
}

// Empty where a forest was compiled without.
trees::BitsliceArrays bitslice_arrays(const py::dict& arrays) {
  trees::BitsliceArrays parts;
  if (!arrays.contains("predicate_offsets")) return parts;
  trees::for_each_bitslice_tensor(parts, [&]<class T>(const char* name, std::span<const T>& values) {
    if constexpr (std::is_same_v<T, LogicInstruction>) {
      values = trees::instructions(tensor<std::uint64_t>(arrays, name));
    } else {
      values = tensor<T>(arrays, name);
    }
  });
  return parts;
}

Forest forest_from_arrays(const py::dict& arrays, const std::string& costs) {
  const std::span header = tensor<std::uint32_t>(arrays, "header");
  if (!header.empty() && header[0] == 1) {
    throw Error(ErrorCode::unsupported,
                "compiled forest: format 1, which only engines still read; pack the model again");
  }
  return Forest(forest_arrays(arrays), bitslice_arrays(arrays), costs);
}

// The costs of kernels in JSON; none where they were not measured.
std::optional<std::string> measure(Forest& forest, const py::dict& arrays) {
  const trees::ForestArrays parts = forest_arrays(arrays);
  const std::optional<trees::KernelCosts> costs = forest.measure(parts);
  if (!costs) return std::nullopt;
  return trees::to_json(*costs);
}

template <class T>
py::array_t<T> as_array(const std::vector<T>& values) {
  return py::array_t<T>(static_cast<py::ssize_t>(values.size()), values.data());
}

py::tuple lay_out(const py::array& split_offsets, const py::array& leaf_offsets, const py::array& left,
                  const py::array& right, const py::array& decisions) {
  for (const py::array& array : {split_offsets, leaf_offsets, left, right}) {
    if (!is_plain<std::int64_t>(array)) reject("lay_out: expected arrays of int64");
  }
  if (!is_plain<std::uint32_t>(decisions)) reject("lay_out: expected decisions of uint32");
  const trees::LooseTrees loose{flat<std::int64_t>(split_offsets), flat<std::int64_t>(leaf_offsets),
                                flat<std::int64_t>(left), flat<std::int64_t>(right),
                                flat<std::uint32_t>(decisions)};
  const trees::Layout layout = trees::lay_out(loose);
  return py::make_tuple(as_array(layout.nodes), as_array(layout.tree_roots), as_array(layout.leaves));
}

// The tensors of the bit-sliced form, by name; instructions as numbers of 64 bits.
py::dict compile_bitslice(const py::dict& arrays) {
  const trees::ForestArrays parts = forest_arrays(arrays);
  trees::BitsliceVectors made;
  {
    const py::gil_scoped_release unlocked;
    made = trees::compile_bitslice(parts);
  }
  py::dict tensors;
  trees::for_each_bitslice_tensor(made, [&]<class T>(const char* name, const std::vector<T>& values) {
    if constexpr (std::is_same_v<T, LogicInstruction>) {
      py::array_t<std::uint64_t> words(static_cast<py::ssize_t>(values.size()));
      if (!values.empty()) std::memcpy(words.mutable_data(), values.data(), values.size() * sizeof(T));
      tensors[name] = words;
    } else {
      tensors[name] = as_array(values);
    }
  });
  return tensors;
}

// Calls part(first row, rows, scratch) for all n rows, split among threads.
template <class Part>
void split_rows(const Forest& forest, std::size_t n, std::size_t n_threads, const Part& part) {
  const std::size_t per_task = rows_per_task(n, n_threads);
  parallel_for((n + per_task - 1) / per_task, n_threads, [&](std::size_t task) {
    const std::size_t begin = task * per_task;
    const std::size_t end = std::min(n, begin + per_task);
    thread_local Arena arena;
    arena.reset();
    part(begin, end - begin, arena.array<std::byte>(forest.scratch_bytes(end - begin)).data());
  });
}

void check_matrix(const Forest& forest, const py::array& rows) {
  if (rows.ndim() != 2 || static_cast<std::size_t>(rows.shape(1)) != forest.n_features()) {
    reject("X: got shape " + shape_text(rows) + ", expected (n, " + std::to_string(forest.n_features()) +
           ")");
  }
  if ((rows.flags() & py::array::c_style) == 0)
    reject("X: expected rows that are contiguous in memory (C order)");
}

// Calls visit(rows, n) with a matrix as what it is.
template <class Visit>
void with_matrix(const Forest& forest, const py::array& rows, const Visit& visit) {
  check_matrix(forest, rows);
  const auto n = static_cast<std::size_t>(rows.shape(0));
  if (is_plain<float>(rows)) {
    visit(DenseRows<float>{static_cast<const float*>(rows.data()), forest.n_features()}, n);
  } else if (is_plain<double>(rows)) {
    visit(DenseRows<double>{static_cast<const double*>(rows.data()), forest.n_features()}, n);
  } else {
    reject("X: expected float32 or float64, got " + py::cast<std::string>(py::str(rows.dtype())));
  }
}

struct SparseArrays {
  py::array offsets, features, numbers;
};

// The same with sparse rows, checked.
template <class Visit>
void with_sparse(const Forest& forest, const SparseArrays& arrays, const Visit& visit) {
  if (forest.derives_features()) reject("X: sparse rows of a model that derives features (CTRs)");
  if (!is_plain<std::int64_t>(arrays.offsets) || !is_plain<std::int32_t>(arrays.features))
    reject("X: expected indptr of int64 and indices of int32");
  if (arrays.features.size() != arrays.numbers.size())
    reject("X: " + std::to_string(arrays.features.size()) + " indices for " +
           std::to_string(arrays.numbers.size()) + " values");
  const std::span offsets = flat<std::int64_t>(arrays.offsets);
  const std::span features = flat<std::int32_t>(arrays.features);
  trees::check_sparse(offsets, features, forest.n_features());
  const std::size_t n = offsets.size() - 1;
  const auto rows_of = [&]<class T>() {
    return SparseRows<T>{offsets.data(), features.data(), static_cast<const T*>(arrays.numbers.data()),
                         static_cast<T>(forest.absent())};
  };
  if (is_plain<float>(arrays.numbers)) {
    visit(rows_of.template operator()<float>(), n);
  } else if (is_plain<double>(arrays.numbers)) {
    visit(rows_of.template operator()<double>(), n);
  } else {
    reject("X: expected float32 or float64, got " + py::cast<std::string>(py::str(arrays.numbers.dtype())));
  }
}

Rounds checked(const Forest& forest, std::uint32_t first, std::uint32_t last) {
  if (first >= last || last > forest.n_rounds()) {
    reject("iteration_range: got (" + std::to_string(first) + ", " + std::to_string(last) +
           "), expected 0 <= first < last <= " + std::to_string(forest.n_rounds()));
  }
  return {first, last};
}

void check_out(const Forest& forest, const py::array& out, std::size_t n) {
  const bool flat_shape =
      out.ndim() == 1 && forest.n_outputs() == 1 && static_cast<std::size_t>(out.shape(0)) == n;
  const bool matrix = out.ndim() == 2 && static_cast<std::size_t>(out.shape(0)) == n &&
                      static_cast<std::size_t>(out.shape(1)) == forest.n_outputs();
  if (!flat_shape && !matrix) {
    reject("out: got shape " + shape_text(out) + ", expected (" + std::to_string(n) +
           (forest.n_outputs() == 1 ? ",)" : ", " + std::to_string(forest.n_outputs()) + ")"));
  }
  const bool typed = forest.is_float32() ? is_plain<float>(out) : is_plain<double>(out);
  if (!typed || !out.writeable()) {
    reject(std::string("out: expected a writeable ") + (forest.is_float32() ? "float32" : "float64") +
           " array in C order");
  }
}

template <class Rows>
void predict_rows(const Forest& forest, const Rows& rows, std::size_t n, Rounds rounds, bool raw,
                  py::array& out, std::size_t n_threads) {
  check_out(forest, out, n);
  if (n_threads == 0) reject("n_threads: got 0, expected at least 1");
  void* const scores = out.mutable_data();
  const auto run = [&]<class Out>(Out* first) {
    const py::gil_scoped_release unlocked;
    split_rows(forest, n, n_threads, [&](std::size_t begin, std::size_t count, std::byte* scratch) {
      forest.predict(rows.from(begin), count, rounds, raw, first + begin * forest.n_outputs(), scratch);
    });
  };
  if (forest.is_float32()) {
    run(static_cast<float*>(scores));
  } else {
    run(static_cast<double*>(scores));
  }
}

void predict(const Forest& forest, const py::array& X, std::uint32_t first, std::uint32_t last, bool raw,
             py::array& out, std::size_t n_threads) {
  const Rounds rounds = checked(forest, first, last);
  with_matrix(forest, X, [&](const auto& rows, std::size_t n) {
    predict_rows(forest, rows, n, rounds, raw, out, n_threads);
  });
}

void predict_sparse(const Forest& forest, const py::array& offsets, const py::array& features,
                    const py::array& numbers, std::uint32_t first, std::uint32_t last, bool raw,
                    py::array& out, std::size_t n_threads) {
  const Rounds rounds = checked(forest, first, last);
  with_sparse(forest, {offsets, features, numbers}, [&](const auto& rows, std::size_t n) {
    predict_rows(forest, rows, n, rounds, raw, out, n_threads);
  });
}

template <class Rows>
py::array_t<std::uint32_t> leaves_of(const Forest& forest, const Rows& rows, std::size_t n, Rounds rounds,
                                     std::size_t n_threads) {
  if (n_threads == 0) reject("n_threads: got 0, expected at least 1");
  const std::size_t n_trees = forest.n_trees(rounds);
  py::array_t<std::uint32_t> leaves({n, n_trees});
  std::uint32_t* const out = leaves.mutable_data();
  const py::gil_scoped_release unlocked;
  split_rows(forest, n, n_threads, [&](std::size_t begin, std::size_t count, std::byte* scratch) {
    forest.leaf_indices(rows.from(begin), count, rounds, out + begin * n_trees, scratch);
  });
  return leaves;
}

py::array_t<std::uint32_t> leaf_indices(const Forest& forest, const py::array& X, std::uint32_t first,
                                        std::uint32_t last, std::size_t n_threads) {
  const Rounds rounds = checked(forest, first, last);
  py::array_t<std::uint32_t> leaves;
  with_matrix(forest, X, [&](const auto& rows, std::size_t n) {
    leaves = leaves_of(forest, rows, n, rounds, n_threads);
  });
  return leaves;
}

py::array_t<std::uint32_t> leaf_indices_sparse(const Forest& forest, const py::array& offsets,
                                               const py::array& features, const py::array& numbers,
                                               std::uint32_t first, std::uint32_t last,
                                               std::size_t n_threads) {
  const Rounds rounds = checked(forest, first, last);
  py::array_t<std::uint32_t> leaves;
  with_sparse(forest, {offsets, features, numbers}, [&](const auto& rows, std::size_t n) {
    leaves = leaves_of(forest, rows, n, rounds, n_threads);
  });
  return leaves;
}

// A call whose input, output and scratch stand already: X, or rows like it, are read and out is written each
// time it is called.
class BoundForest {
 public:
  BoundForest(py::object forest, py::array X, py::array out, std::uint32_t first, std::uint32_t last,
              bool raw)
      : owner_(std::move(forest)),
        forest_(py::cast<const Forest*>(owner_)),
        X_(std::move(X)),
        out_(std::move(out)),
        rounds_(checked(*forest_, first, last)),
        raw_(raw) {
    with_matrix(*forest_, X_, [&](const auto& rows, std::size_t n) {
      float32_rows_ = std::is_same_v<std::decay_t<decltype(rows)>, DenseRows<float>>;
      n_ = n;
    });
    check_out(*forest_, out_, n_);
    scratch_ = AlignedBuffer<std::byte>(forest_->scratch_bytes(n_));
    X_data_ = X_.data();
    out_data_ = out_.mutable_data();
  }

  // rows: none for X.
  py::array operator()(const py::object& rows) {
    const void* const numbers = rows.is_none() ? X_data_ : checked_rows(rows);
    if (n_ < kMinRowsPerTask) {  // letting go of the GIL would take longer
      run_all(numbers);
      return out_;
    }
    if (busy_) reject("a bound forest is called while it runs; bind one for each thread");
    busy_ = true;
    {
      const py::gil_scoped_release unlocked;
      run_all(numbers);
    }
    busy_ = false;
    return out_;
  }

  [[nodiscard]] const py::array& X() const { return X_; }
  [[nodiscard]] const py::array& out() const { return out_; }

 private:
  [[nodiscard]] const void* checked_rows(const py::object& object) const {
    if (!py::isinstance<py::array>(object)) {
      reject("rows: expected a NumPy array, got " +
             py::cast<std::string>(py::str(py::type::of(object).attr("__name__"))));
    }
    const auto rows = py::reinterpret_borrow<py::array>(object);
    const bool typed = float32_rows_ ? is_plain<float>(rows) : is_plain<double>(rows);
    const bool shaped = rows.ndim() == 2 && static_cast<std::size_t>(rows.shape(0)) == n_ &&
                        static_cast<std::size_t>(rows.shape(1)) == forest_->n_features();
    if (!typed || !shaped) {
      reject("rows: got shape " + shape_text(rows) + " of " + py::cast<std::string>(py::str(rows.dtype())) +
             ", expected " + shape_text(X_) + " of " + py::cast<std::string>(py::str(X_.dtype())) +
             " in C order");
    }
    const auto* const first = static_cast<const std::byte*>(rows.data());
    const auto* const out = static_cast<const std::byte*>(out_data_);
    if (first < out + out_.nbytes() && out < first + rows.nbytes()) reject("rows: overlap out");
    return first;
  }

  void run_all(const void* numbers) noexcept {
    if (float32_rows_) {
      run(DenseRows<float>{static_cast<const float*>(numbers), forest_->n_features()});
    } else {
      run(DenseRows<double>{static_cast<const double*>(numbers), forest_->n_features()});
    }
  }

  template <class Rows>
  void run(const Rows& rows) noexcept {
    if (forest_->is_float32()) {
      forest_->predict(rows, n_, rounds_, raw_, static_cast<float*>(out_data_), scratch_.data());
    } else {
      forest_->predict(rows, n_, rounds_, raw_, static_cast<double*>(out_data_), scratch_.data());
    }
  }

  py::object owner_;
  const Forest* forest_;
  py::array X_, out_;
  Rounds rounds_;
  bool raw_;
  bool float32_rows_ = false;
  bool busy_ = false;  // under the GIL
  std::size_t n_ = 0;
  AlignedBuffer<std::byte> scratch_;
  const void* X_data_ = nullptr;
  void* out_data_ = nullptr;
};

}  // namespace

void register_trees(py::module_& module) {
  py::class_<Forest>(module, "Forest")
      .def(py::init(&forest_from_arrays), py::arg("arrays"), py::arg("costs"))
      .def("measure", &measure, py::arg("arrays"))
      .def("kernels", &Forest::kernels)
      .def_property_readonly("n_features", &Forest::n_features)
      .def_property_readonly("n_outputs", &Forest::n_outputs)
      .def_property_readonly("n_trees", [](const Forest& forest) { return forest.n_trees(); })
      .def_property_readonly("n_rounds", &Forest::n_rounds)
      .def_property_readonly("default_rounds",
                             [](const Forest& forest) { return forest.default_rounds().last; })
      .def_property_readonly("is_float32", &Forest::is_float32)
      .def_property_readonly("derives_features", &Forest::derives_features)
      .def("predict", &predict, py::arg("X").noconvert(), py::arg("first"), py::arg("last"), py::arg("raw"),
           py::arg("out").noconvert(), py::arg("n_threads"))
      .def("predict_sparse", &predict_sparse, py::arg("indptr").noconvert(), py::arg("indices").noconvert(),
           py::arg("values").noconvert(), py::arg("first"), py::arg("last"), py::arg("raw"),
           py::arg("out").noconvert(), py::arg("n_threads"))
      .def("leaf_indices", &leaf_indices, py::arg("X").noconvert(), py::arg("first"), py::arg("last"),
           py::arg("n_threads"))
      .def("leaf_indices_sparse", &leaf_indices_sparse, py::arg("indptr").noconvert(),
           py::arg("indices").noconvert(), py::arg("values").noconvert(), py::arg("first"), py::arg("last"),
           py::arg("n_threads"));
  module.def("compile_bitslice", &compile_bitslice, py::arg("arrays"));
  module.def("lay_out", &lay_out, py::arg("split_offsets").noconvert(), py::arg("leaf_offsets").noconvert(),
             py::arg("left").noconvert(), py::arg("right").noconvert(), py::arg("decisions").noconvert());
  py::class_<BoundForest>(module, "BoundForest")
      .def(py::init<py::object, py::array, py::array, std::uint32_t, std::uint32_t, bool>(),
           py::arg("forest"), py::arg("X").noconvert(), py::arg("out").noconvert(), py::arg("first"),
           py::arg("last"), py::arg("raw"))
      .def_property_readonly("X", &BoundForest::X)
      .def_property_readonly("out", &BoundForest::out)
      .def("__call__", &BoundForest::operator(), py::arg("rows") = py::none());
}

}  // namespace shortlist::python
