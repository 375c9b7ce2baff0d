// Arrow data by the PyCapsule interface, and columns of numbers written as rows of a matrix.
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "arrow/distinct.hpp"
#include "arrow/numbers.hpp"
#include "arrow/table.hpp"
#include "base/error.hpp"
#include "python/bindings.hpp"

namespace shortlist::python {
namespace {

using arrow::Kind;
using arrow::NumberChunk;
using arrow::NumberReader;
using arrow::Table;

template <class Structure>
Structure& in_capsule(const py::object& capsule, const char* name) {
  if (PyCapsule_IsValid(capsule.ptr(), name) == 0) {
    throw Error(ErrorCode::invalid_argument,
                std::string("Arrow: expected a capsule '") + name + "', got " +
                    std::string(py::str(py::type::of(capsule).attr("__name__"))));
  }
  return *static_cast<Structure*>(PyCapsule_GetPointer(capsule.ptr(), name));
}

Table from_stream(const py::object& capsule) {
  arrow::ArrowStream stream(in_capsule<ArrowArrayStream>(capsule, "arrow_array_stream"));
  const py::gil_scoped_release unlocked;  // a producer may wait for threads that need the lock
  return Table(std::move(stream));
}

Table from_array(const py::object& schema, const py::object& array) {
  arrow::Owned<ArrowSchema> owned_schema(in_capsule<ArrowSchema>(schema, "arrow_schema"));
  arrow::Owned<ArrowArray> owned_array(in_capsule<ArrowArray>(array, "arrow_array"));
  return Table(std::move(owned_schema), std::move(owned_array));
}

const char* group(const arrow::ColumnType& type) {
  if (type.kind == Kind::other) return "other";
  if (type.is_dictionary) return "dictionary";
  if (type.kind == Kind::null) return "null";
  if (type.kind == Kind::boolean) return "boolean";
  if (arrow::is_integer(type.kind)) return "integer";
  return arrow::is_number(type.kind) ? "float" : "text";
}

py::list columns(const Table& table) {
  py::list described;
  for (const Table::Column& column : table.columns()) {
    const py::object name = py::reinterpret_steal<py::object>(PyUnicode_DecodeUTF8(
        column.name.data(), static_cast<py::ssize_t>(column.name.size()), "surrogateescape"));
    described.append(py::make_tuple(name, group(column.type), column.type.name));
  }
  return described;
}

std::size_t checked_column(const Table& table, std::size_t column) {
  if (column < table.columns().size()) return column;
  throw Error(ErrorCode::invalid_argument,
              "Arrow: column " + std::to_string(column) + " of " + std::to_string(table.columns().size()));
}

py::object as_object(const arrow::Value& value, const std::string& where) {
  if (const auto* const text = std::get_if<std::string_view>(&value)) {
    PyObject* const object =
        PyUnicode_DecodeUTF8(text->data(), static_cast<py::ssize_t>(text->size()), nullptr);
    if (object == nullptr) {
      PyErr_Clear();
      throw Error(ErrorCode::invalid_format, where + ": a text that is no UTF-8");
    }
    return py::reinterpret_steal<py::object>(object);
  }
  return std::visit([](const auto& number) { return py::object(py::cast(number)); }, value);
}

py::tuple values(const Table& table, std::size_t column) {
  checked_column(table, column);
  py::array_t<std::int32_t> codes(static_cast<py::ssize_t>(table.n_rows()));
  std::vector<arrow::Value> distinct;
  {
    const std::span<std::int32_t> out(codes.mutable_data(), table.n_rows());
    const py::gil_scoped_release unlocked;
    distinct = arrow::distinct_values(table, column, out);
  }
  py::list objects(distinct.size());
  for (std::size_t i = 0; i < distinct.size(); ++i) objects[i] = as_object(distinct[i], table.where(column));
  return py::make_tuple(std::move(codes), std::move(objects));
}

std::vector<NumberChunk> table_chunks(const Table& table, std::size_t column) {
  const arrow::ColumnType& type = table.columns()[checked_column(table, column)].type;
  if (type.is_dictionary || !(arrow::is_number(type.kind) || type.kind == Kind::null)) {
    throw Error(ErrorCode::invalid_argument,
                table.where(column) + " is of type " + type.name + ", expected numbers");
  }
  std::vector<NumberChunk> chunks;
  for (const Table::Chunk& chunk : table.chunks(column)) {
    const arrow::ArrayView& rows = chunk.rows;
    const std::size_t width = arrow::byte_width(type.kind);
    const std::byte* const begin = rows.values() == nullptr ? nullptr : rows.values() + rows.first() * width;
    chunks.push_back(
        {type.kind, begin, static_cast<std::ptrdiff_t>(width), rows.size(), rows.validity(), rows.first()});
  }
  return chunks;
}

py::dtype dtype_of(Kind kind) {
  constexpr const char* kLetters[] = {"?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"};
  return py::dtype(
      std::string(kLetters[static_cast<std::size_t>(kind) - static_cast<std::size_t>(Kind::boolean)]));
}

// The numbers of a column in its own dtype, 0 where it is null; and which are null, or None where none is.
py::tuple numbers(const Table& table, std::size_t column) {
  const std::vector<NumberChunk> chunks = table_chunks(table, column);
  const Kind kind = table.columns()[column].type.kind;
  if (kind == Kind::null) {
    throw Error(ErrorCode::invalid_argument, table.where(column) + " is of type null, expected numbers");
  }
  const auto n = static_cast<py::ssize_t>(table.n_rows());
  py::array array(dtype_of(kind), std::vector<py::ssize_t>{n});
  py::array_t<bool> missing(n);
  auto* to = static_cast<std::byte*>(array.mutable_data());
  bool* is_missing = missing.mutable_data();
  bool has_missing = false;
  for (const NumberChunk& chunk : chunks) {
    has_missing |= arrow::copy_numbers(chunk, to, is_missing);
    to += chunk.size * static_cast<std::size_t>(array.itemsize());
    is_missing += chunk.size;
  }
  if (!has_missing) return py::make_tuple(std::move(array), py::none());
  return py::make_tuple(std::move(array), std::move(missing));
}

Kind kind_of(const py::dtype& dtype) {
  const char letter = dtype.kind();
  const auto size = dtype.itemsize();
  if (letter == 'b') return Kind::uint8;
  if (letter == 'f' && size == 2) return Kind::float16;
  if (letter == 'f' && size == 4) return Kind::float32;
  if (letter == 'f' && size == 8) return Kind::float64;
  if (letter == 'i' || letter == 'u') {
    const bool is_signed = letter == 'i';
    if (size == 1) return is_signed ? Kind::int8 : Kind::uint8;
    if (size == 2) return is_signed ? Kind::int16 : Kind::uint16;
    if (size == 4) return is_signed ? Kind::int32 : Kind::uint32;
    if (size == 8) return is_signed ? Kind::int64 : Kind::uint64;
  }
  return Kind::other;
}

// `validity` is None or a bitmap of uint8.
NumberChunk array_chunk(const py::array& array, const py::object& validity) {
  const Kind kind = kind_of(array.dtype());
  const char order = array.dtype().byteorder();
  if (array.ndim() != 1 || kind == Kind::other || order == '>') {
    throw Error(ErrorCode::invalid_argument, "a column of numbers has one dimension and a dtype of numbers");
  }
  const auto n = static_cast<std::size_t>(array.shape(0));
  NumberChunk chunk{kind, static_cast<const std::byte*>(array.data()), array.strides(0), n, nullptr, 0};
  if (validity.is_none()) return chunk;
  using Bitmap = py::array_t<std::uint8_t, py::array::c_style>;
  if (!py::isinstance<Bitmap>(validity) ||
      static_cast<std::size_t>(py::reinterpret_borrow<Bitmap>(validity).size()) < (n + 7) / 8) {
    throw Error(ErrorCode::invalid_argument, "a bitmap of validity is uint8, a bit for each row");
  }
  chunk.validity = py::reinterpret_borrow<Bitmap>(validity).data();
  return chunk;
}

// (table, column), or (array, bitmap of validity or None); borrowed from it.
std::vector<NumberChunk> chunks_of(const py::tuple& source) {
  if (source.size() != 2) throw Error(ErrorCode::invalid_argument, "a column is a pair");
  if (py::isinstance<Table>(source[0])) {
    return table_chunks(source[0].cast<const Table&>(), source[1].cast<std::size_t>());
  }
  if (!py::isinstance<py::array>(source[0])) {
    throw Error(ErrorCode::invalid_argument, "a column is of an Arrow table, or an array");
  }
  return {array_chunk(py::reinterpret_borrow<py::array>(source[0]), source[1])};
}

template <class Number>
void fill(py::array_t<Number, py::array::c_style>& out, const py::list& sources) {
  const auto n = static_cast<std::size_t>(out.shape(0));
  std::vector<NumberReader<Number>> readers;
  readers.reserve(sources.size());
  for (const py::handle source : sources) {
    readers.emplace_back(chunks_of(py::cast<py::tuple>(source)));
    if (readers.back().size() != n) {
      throw Error(ErrorCode::invalid_argument, "column " + std::to_string(readers.size() - 1) + " has " +
                                                   std::to_string(readers.back().size()) +
                                                   " rows, expected " + std::to_string(n));
    }
  }
  Number* const to = out.mutable_data();
  const py::gil_scoped_release unlocked;
  arrow::write_rows(readers, n, to);
}

void fill_rows(const py::array& out, const py::list& sources) {
  const bool fits = out.ndim() == 2 && static_cast<std::size_t>(out.shape(1)) == sources.size();
  if (fits && py::isinstance<py::array_t<float, py::array::c_style>>(out)) {
    auto rows = py::reinterpret_borrow<py::array_t<float, py::array::c_style>>(out);
    fill(rows, sources);
  } else if (fits && py::isinstance<py::array_t<double, py::array::c_style>>(out)) {
    auto rows = py::reinterpret_borrow<py::array_t<double, py::array::c_style>>(out);
    fill(rows, sources);
  } else {
    throw Error(ErrorCode::invalid_argument,
                "out: expected float32 or float64 in C order, with as many columns as there are sources");
  }
}

}  // namespace

void register_arrow(py::module_& module) {
  py::class_<Table>(module, "ArrowTable")
      .def_static("from_stream", &from_stream, py::arg("capsule"))
      .def_static("from_array", &from_array, py::arg("schema"), py::arg("array"))
      .def_property_readonly("columns", &columns)
      .def_property_readonly("is_struct", &Table::is_struct)
      .def_property_readonly("n_rows", &Table::n_rows)
      .def("values", &values, py::arg("column"))
      .def("numbers", &numbers, py::arg("column"));
  module.def("fill_rows", &fill_rows, py::arg("out"), py::arg("sources"));
}

}  // namespace shortlist::python
