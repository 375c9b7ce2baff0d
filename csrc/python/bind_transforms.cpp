// The links of objectives by themselves: sums to predictions, and base scores to the margins of sums.
#include <algorithm>
#include <string>

#include "base/error.hpp"
#include "python/bindings.hpp"
#include "trees/transform.hpp"
#include "trees/transforms/xgboost.hpp"

namespace shortlist::python {
namespace {

using Matrix = py::array_t<double, py::array::c_style>;
using Floats = py::array_t<float, py::array::c_style>;

Matrix transformed(std::uint32_t transform, double scale, const Matrix& sums) {
  if (!trees::is_transform(transform)) {
    throw Error(ErrorCode::invalid_argument,
                "transform: got " + std::to_string(transform) + ", which is unknown");
  }
  if (sums.ndim() != 2 || sums.shape(1) == 0)
    throw Error(ErrorCode::invalid_argument, "sums: expected shape (n, n_outputs)");
  Matrix out({sums.shape(0), sums.shape(1)});
  std::copy_n(sums.data(), sums.size(), out.mutable_data());
  trees::apply_transform(static_cast<trees::Transform>(transform), scale,
                         static_cast<std::size_t>(sums.shape(1)), static_cast<std::size_t>(sums.shape(0)),
                         out.mutable_data());
  return out;
}

Floats base_margins(std::uint32_t link, const Floats& scores) {
  if (link >= trees::kBaseLinks)
    throw Error(ErrorCode::invalid_argument, "link: got " + std::to_string(link) + ", which is unknown");
  if (scores.ndim() != 1) throw Error(ErrorCode::invalid_argument, "scores: expected one dimension");
  Floats out(scores.shape(0));
  std::copy_n(scores.data(), scores.size(), out.mutable_data());
  trees::margins_of(static_cast<trees::BaseLink>(link),
                    {out.mutable_data(), static_cast<std::size_t>(out.size())});
  return out;
}

}  // namespace

void register_transforms(py::module_& module) {
  module.def("transformed", &transformed, py::arg("transform"), py::arg("scale"),
             py::arg("sums").noconvert());
  module.def("base_margins", &base_margins, py::arg("link"), py::arg("scores").noconvert());
}

}  // namespace shortlist::python
