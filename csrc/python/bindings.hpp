// What each bind_*.cpp registers; the only folder that knows pybind11.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;

namespace shortlist::python {

void register_errors(py::module_& module);
void register_arrow(py::module_& module);
void register_cpu(py::module_& module);
void register_telemetry(py::module_& module);
void register_retrieval(py::module_& module);
void register_engine(py::module_& module);
void register_features(py::module_& module);
void register_hashing(py::module_& module);
void register_trees(py::module_& module);
void register_transforms(py::module_& module);
void register_catboost(py::module_& module);

}  // namespace shortlist::python
