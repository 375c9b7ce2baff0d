// Feature sets: parsed from features.json, applied to columns, and the hash they rest on.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/xxh64.hpp"
#include "features/feature_set.hpp"
#include "features/transform.hpp"
#include "python/bindings.hpp"

namespace shortlist::python {
namespace {

using features::Column;
using features::FeatureSet;
using features::Source;
using features::SourceEncoder;

template <class T>
using Array = py::array_t<T, py::array::c_style>;

// Exactly this dtype, one-dimensional and contiguous: the Python layer converts, nothing is copied here.
template <class T>
std::span<const T> vector_of(const py::handle& object, const char* what) {
  if (!py::isinstance<Array<T>>(object)) {
    throw Error(ErrorCode::invalid_argument, std::string(what) + " has the wrong dtype or is not contiguous");
  }
  const auto array = py::reinterpret_borrow<Array<T>>(object);
  if (array.ndim() != 1)
    throw Error(ErrorCode::invalid_argument, std::string(what) + " is not one-dimensional");
  return {array.data(), static_cast<std::size_t>(array.size())};
}

// None, a float64 array, or a tuple (bytes, int64 offsets, uint8 missing).
Column as_column(const py::handle& object) {
  if (object.is_none()) return {};
  if (!py::isinstance<py::tuple>(object)) return Column(vector_of<double>(object, "a column of numbers"));
  const auto parts = py::reinterpret_borrow<py::tuple>(object);
  if (parts.size() != 3 || !py::isinstance<py::bytes>(parts[0])) {
    throw Error(ErrorCode::invalid_argument, "a text column is (bytes, offsets, missing)");
  }
  char* bytes = nullptr;
  Py_ssize_t size = 0;
  if (PyBytes_AsStringAndSize(py::object(parts[0]).ptr(), &bytes, &size) != 0) throw py::error_already_set();
  return Column({bytes, static_cast<std::size_t>(size)}, vector_of<std::int64_t>(parts[1], "offsets"),
                vector_of<std::uint8_t>(parts[2], "missing"));
}

std::vector<Column> as_columns(const py::list& objects) {
  std::vector<Column> columns;
  columns.reserve(objects.size());
  for (const py::handle object : objects) columns.push_back(as_column(object));
  return columns;
}

Source as_source(const std::string& name) {
  if (name == "user") return Source::user;
  if (name == "context") return Source::context;
  if (name == "item") return Source::item;
  throw Error(ErrorCode::invalid_argument, "source must be 'user', 'context' or 'item', not '" + name + "'");
}

py::tuple encode_source(const FeatureSet& set, const std::string& source, const py::list& objects,
                        std::size_t n) {
  const SourceEncoder& encoder = set.encoder(as_source(source));
  const std::vector<Column> columns = as_columns(objects);
  py::array_t<std::uint32_t> cells({n, encoder.n_cells()});
  py::array_t<std::uint64_t> hashes({n, encoder.n_hashes()});
  {
    std::uint32_t* const cells_out = cells.mutable_data();
    std::uint64_t* const hashes_out = hashes.mutable_data();
    const py::gil_scoped_release unlocked;
    features::encode_source(encoder, columns, n, cells_out, hashes_out);
  }
  return py::make_tuple(std::move(cells), std::move(hashes));
}

// -> one float32 or int32 array (n, columns) a block.
py::list transform(const FeatureSet& set, const py::list& user, const py::list& context, const py::list& item,
                   const py::object& similarity, std::size_t n) {
  const std::vector<Column> columns[] = {as_columns(user), as_columns(context), as_columns(item)};
  const float* similarities = nullptr;
  if (!similarity.is_none()) {
    const std::span<const float> values = vector_of<float>(similarity, "similarity");
    if (values.size() != n)
      throw Error(ErrorCode::invalid_argument, "column 'similarity' has the wrong length");
    similarities = values.data();
  }
  py::list arrays;
  std::vector<std::uint32_t*> outputs;
  for (const FeatureSet::Block& block : set.blocks()) {
    const py::dtype dtype = block.is_float ? py::dtype::of<float>() : py::dtype::of<std::int32_t>();
    py::array array(dtype, {n, block.columns.size()});
    outputs.push_back(static_cast<std::uint32_t*>(array.mutable_data()));
    arrays.append(std::move(array));
  }
  {
    const py::gil_scoped_release unlocked;
    features::transform(set, {columns[0], columns[1], columns[2]}, similarities, n, outputs);
  }
  return arrays;
}

py::list fields(const FeatureSet& set, const std::string& source) {
  const SourceEncoder& encoder = set.encoder(as_source(source));
  py::list described;
  for (std::size_t i = 0; i < encoder.fields().size(); ++i) {
    described.append(py::make_tuple(encoder.fields()[i], encoder.reads_text(i)));
  }
  return described;
}

py::list canonical_texts(const py::handle& numbers) {
  py::list texts;
  for (const double number : vector_of<double>(numbers, "numbers")) {
    char buffer[features::kCanonicalBytes];
    if (std::isnan(number)) {
      texts.append(py::none());
    } else {
      const std::string_view text = features::canonical_text(number, buffer);
      texts.append(py::str(text.data(), text.size()));
    }
  }
  return texts;
}

py::array_t<std::uint64_t> hash_column(const py::handle& object, std::size_t n, std::uint64_t seed) {
  const Column column = as_column(object);
  if (!column.has_rows(n)) throw Error(ErrorCode::invalid_argument, "the column has the wrong length");
  py::array_t<std::uint64_t> hashes(static_cast<py::ssize_t>(n));
  std::uint64_t* const out = hashes.mutable_data();
  {
    const py::gil_scoped_release unlocked;
    features::hash_column(column, n, seed, out);
  }
  return hashes;
}

}  // namespace

void register_features(py::module_& module) {
  module.def(
      "xxh64",
      [](const py::bytes& bytes, std::uint64_t seed) { return xxh64(std::string_view(bytes), seed); },
      py::arg("data"), py::arg("seed") = 0);
  module.def("xxh64_column", &hash_column, py::arg("column"), py::arg("n"), py::arg("seed"));
  module.def("canonical_texts", &canonical_texts, py::arg("numbers"));

  py::class_<FeatureSet>(module, "FeatureSet")
      .def_static("from_json", &FeatureSet::from_json, py::arg("text"))
      .def_property_readonly("names",
                             [](const FeatureSet& set) {
                               py::list names;
                               for (const std::string& name : set.names()) names.append(name);
                               return names;
                             })
      .def_property_readonly("uses_similarity", &FeatureSet::uses_similarity)
      .def_property_readonly("blocks",
                             [](const FeatureSet& set) {
                               py::list blocks;
                               for (const FeatureSet::Block& block : set.blocks()) {
                                 py::list columns;
                                 for (const std::uint32_t column : block.columns) columns.append(column);
                                 blocks.append(py::make_tuple(block.name, block.is_float, columns));
                               }
                               return blocks;
                             })
      .def("fields", &fields, py::arg("source"))
      .def("encode_source", &encode_source, py::arg("source"), py::arg("columns"), py::arg("n"))
      .def("transform", &transform, py::arg("user"), py::arg("context"), py::arg("item"),
           py::arg("similarity"), py::arg("n"));
}

}  // namespace shortlist::python
