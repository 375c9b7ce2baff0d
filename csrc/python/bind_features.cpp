// Feature sets: parsed from features.json, applied to columns and to encoded tables.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "features/feature_set.hpp"
#include "features/transform.hpp"
#include "python/bindings.hpp"
#include "python/columns.hpp"

namespace shortlist::python {
namespace {

using features::Column;
using features::FeatureSet;
using features::Source;
using features::SourceEncoder;

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
    const std::span<const float> values = exact_vector<float>(similarity, "similarity");
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

template <class T>
std::span<const T> encoded_row(const py::handle& object, std::size_t size, const char* what) {
  const std::span<const T> row = exact_vector<T>(object, what);
  if (row.size() != size)
    throw Error(ErrorCode::invalid_argument, std::string(what) + " have the wrong length");
  return row;
}

// A pointer to each row of an array (n, width).
template <class T>
std::vector<const T*> encoded_rows(const py::handle& object, std::size_t n, std::size_t width,
                                   const char* what) {
  const auto array = exact_array<T>(object, 2, what);
  if (static_cast<std::size_t>(array.shape(0)) != n || static_cast<std::size_t>(array.shape(1)) != width) {
    throw Error(ErrorCode::invalid_argument, std::string(what) + " have the wrong shape");
  }
  std::vector<const T*> rows(n);
  for (std::size_t i = 0; i < n; ++i) rows[i] = array.data() + i * width;
  return rows;
}

// One request against n items, all encoded: the rows that ranking scores, uint32 (n, n_features).
py::array_t<std::uint32_t> assemble(const FeatureSet& set, const py::tuple& user, const py::tuple& context,
                                    const py::tuple& items, const py::array_t<float>& similarity) {
  const SourceEncoder& user_encoder = set.encoder(Source::user);
  const SourceEncoder& context_encoder = set.encoder(Source::context);
  const SourceEncoder& item_encoder = set.encoder(Source::item);
  const std::span<const float> similarities = exact_vector<float>(similarity, "similarity");
  const std::size_t n = similarities.size();
  const auto user_cells = encoded_row<std::uint32_t>(user[0], user_encoder.n_cells(), "user cells");
  const auto user_hashes = encoded_row<std::uint64_t>(user[1], user_encoder.n_hashes(), "user hashes");
  const auto context_cells =
      encoded_row<std::uint32_t>(context[0], context_encoder.n_cells(), "context cells");
  const auto context_hashes =
      encoded_row<std::uint64_t>(context[1], context_encoder.n_hashes(), "context hashes");
  const auto item_cells = encoded_rows<std::uint32_t>(items[0], n, item_encoder.n_cells(), "item cells");
  const auto item_hashes = encoded_rows<std::uint64_t>(items[1], n, item_encoder.n_hashes(), "item hashes");
  std::vector<std::uint32_t> request(set.n_features());
  py::array_t<std::uint32_t> rows({n, set.n_features()});
  std::uint32_t* const out = rows.mutable_data();
  {
    const py::gil_scoped_release unlocked;
    set.assemble_request(user_cells.data(), user_hashes.data(), context_cells.data(), context_hashes.data(),
                         request.data());
    set.assemble_items(request.data(), user_hashes.data(), context_hashes.data(), item_cells.data(),
                       item_hashes.data(), similarities.data(), n, out);
  }
  return rows;
}

py::list fields(const FeatureSet& set, const std::string& source) {
  const SourceEncoder& encoder = set.encoder(as_source(source));
  py::list described;
  for (std::size_t i = 0; i < encoder.fields().size(); ++i) {
    described.append(py::make_tuple(encoder.fields()[i], encoder.reads_text(i), encoder.reads_number(i)));
  }
  return described;
}

}  // namespace

void register_features(py::module_& module) {
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
      .def("assemble", &assemble, py::arg("user"), py::arg("context"), py::arg("items"),
           py::arg("similarity"))
      .def("transform", &transform, py::arg("user"), py::arg("context"), py::arg("item"),
           py::arg("similarity"), py::arg("n"));
}

}  // namespace shortlist::python
