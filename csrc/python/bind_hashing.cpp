// The hash of ids and feature values, and the texts that numbers are hashed as.
#include <cmath>
#include <string_view>

#include "base/xxh64.hpp"
#include "features/transform.hpp"
#include "python/bindings.hpp"
#include "python/columns.hpp"

namespace shortlist::python {
namespace {

py::list canonical_texts(const py::handle& numbers) {
  py::list texts;
  for (const double number : exact_vector<double>(numbers, "numbers")) {
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
  const features::Column column = as_column(object);
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

void register_hashing(py::module_& module) {
  module.def(
      "xxh64",
      [](const py::bytes& bytes, std::uint64_t seed) { return xxh64(std::string_view(bytes), seed); },
      py::arg("data"), py::arg("seed") = 0);
  module.def("xxh64_column", &hash_column, py::arg("column"), py::arg("n"), py::arg("seed"));
  module.def("canonical_texts", &canonical_texts, py::arg("numbers"));
}

}  // namespace shortlist::python
