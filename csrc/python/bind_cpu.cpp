// Which instruction sets there are and which one runs.
#include "cpu/isa.hpp"
#include "kernels/kernels.hpp"
#include "python/bindings.hpp"

namespace shortlist::python {

void register_cpu(py::module_& module) {
  module.def("available_isas", [] {
    py::list names;
    for (const Isa isa : available_isas()) names.append(std::string(isa_name(isa)));
    return names;
  });
  module.def("active_isa", [] { return std::string(active_kernels().isa); });
}

}  // namespace shortlist::python
