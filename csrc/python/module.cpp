// The extension module shortlist._core: one bind_*.cpp a concept, registered here.
#include "python/bindings.hpp"

PYBIND11_MODULE(_core, module, py::mod_gil_not_used()) {
  shortlist::python::register_errors(module);
  shortlist::python::register_arrow(module);
  shortlist::python::register_cpu(module);
  shortlist::python::register_telemetry(module);
  shortlist::python::register_retrieval(module);
  shortlist::python::register_engine(module);
  shortlist::python::register_features(module);
  shortlist::python::register_hashing(module);
  shortlist::python::register_trees(module);
  shortlist::python::register_transforms(module);
  shortlist::python::register_catboost(module);
}
