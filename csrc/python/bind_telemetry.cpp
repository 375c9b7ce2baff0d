// shortlist._core.Counters: request counters in memory that worker processes may share.
#include "python/bindings.hpp"
#include "telemetry/counters.hpp"

namespace shortlist::python {
namespace {

using telemetry::Counters;

// Occupied buckets as (upper limit in ns, cumulative count); the last limit is infinity.
py::list cumulative(const telemetry::Histogram& histogram) {
  py::list buckets;
  std::uint64_t total = 0;
  for (std::size_t b = 0; b < telemetry::kBuckets; ++b) {
    if (histogram.buckets[b] == 0) continue;
    total += histogram.buckets[b];
    const bool last = b == telemetry::kBuckets - 1;
    buckets.append(py::make_tuple(
        last ? std::numeric_limits<double>::infinity() : static_cast<double>(telemetry::bucket_limit_ns(b)),
        total));
  }
  return buckets;
}

py::dict snapshot(const Counters& counters) {
  telemetry::Snapshot now;
  {
    const py::gil_scoped_release unlocked;
    now = counters.snapshot();
  }
  py::dict routes;
  for (std::size_t r = 0; r < telemetry::kRouteNames.size(); ++r) {
    py::dict stages;
    for (std::size_t s = 0; s < telemetry::kStageNames.size(); ++s) {
      const telemetry::Histogram& histogram = now.routes[r].stages[s];
      if (histogram.count == 0) continue;
      py::dict stage;
      stage["count"] = histogram.count;
      stage["sum_ns"] = histogram.sum_ns;
      stage["buckets"] = cumulative(histogram);
      stages[py::str(telemetry::kStageNames[s])] = stage;
    }
    py::dict route;
    route["requests"] = now.routes[r].requests;
    route["errors"] = now.routes[r].errors;
    route["stages"] = stages;
    routes[py::str(telemetry::kRouteNames[r])] = route;
  }
  py::dict names;
  for (const auto& [name, count] : now.unknown_attributes) names[py::str(name)] = count;
  py::dict result;
  result["routes"] = routes;
  result["fallbacks"] = now.fallbacks;
  result["unknown_attributes"] = names;
  result["unknown_attributes_uncounted"] = now.uncounted_unknown_attributes;
  return result;
}

}  // namespace

void register_telemetry(py::module_& module) {
  py::classh<Counters>(module, "Counters")
      .def(py::init<const std::string&>(), py::arg("path") = "")
      .def("snapshot", &snapshot);
}

}  // namespace shortlist::python
