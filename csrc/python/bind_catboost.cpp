// CatBoost's hash of categories that are texts.
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "python/bindings.hpp"
#include "trees/city_hash.hpp"

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

}  // namespace

void register_catboost(py::module_& module) {
  module.def("catboost_hash_texts", &hash_texts, py::arg("texts"));
}

}  // namespace shortlist::python
