// shortlist._core.FlatIndex over NumPy vectors.
#include <optional>

#include "python/arrays.hpp"
#include "python/bindings.hpp"
#include "retrieval/flat_index.hpp"

namespace shortlist::python {
namespace {

using retrieval::FlatIndex;

// The index with the arrays that it views.
struct BoundIndex {
  Array<float> vectors;
  Array<float> inverse_norms;
  FlatIndex index;
};

std::size_t rows_of(const Array<float>& vectors) {
  if (vectors.ndim() != 2 || vectors.shape(1) == 0 || vectors.shape(0) >= UINT32_MAX) {
    throw Error(ErrorCode::invalid_argument, "vectors: expected float32 of shape (n, dim), dim at least 1");
  }
  return static_cast<std::size_t>(vectors.shape(0));
}

BoundIndex make_index(const Array<float>& vectors, const std::string& metric_name) {
  const std::size_t n = rows_of(vectors);
  const auto dim = static_cast<std::size_t>(vectors.shape(1));
  const retrieval::Metric metric = retrieval::metric_of(metric_name);
  const std::span<const float> data = as_matrix(vectors, dim, "vectors");
  Array<float> norms(metric == retrieval::Metric::cosine ? static_cast<py::ssize_t>(n) : 0);
  const std::span<float> norms_out{norms.mutable_data(), static_cast<std::size_t>(norms.size())};
  if (!norms_out.empty()) {
    const py::gil_scoped_release unlocked;
    retrieval::inverse_norms(data, n, dim, norms_out.data());
  }
  return {vectors, norms, FlatIndex(data, n, dim, metric, norms_out)};
}

// rows (m, k) int64 with -1 and scores (m, k) float32 with -inf where fewer than k rows pass.
py::tuple search(const BoundIndex& self, const Array<float>& queries, std::size_t k,
                 const std::optional<Array<std::uint64_t>>& allowed) {
  const std::span<const float> data = as_matrix(queries, self.index.dim(), "queries");
  const auto n = static_cast<std::size_t>(queries.shape(0));
  const std::uint64_t* words = nullptr;
  if (allowed) {
    if (as_vector(*allowed, "allowed").size() != (self.index.size() + 63) / 64) {
      throw Error(ErrorCode::invalid_argument, "allowed: expected a bit for each vector");
    }
    words = allowed->data();
  }
  py::array_t<std::int64_t> rows({n, k});
  py::array_t<float> scores({n, k});
  const std::span<std::int64_t> rows_out{rows.mutable_data(), n * k};
  const std::span<float> scores_out{scores.mutable_data(), n * k};
  {
    const py::gil_scoped_release unlocked;
    Arena arena;
    for (std::size_t i = 0; i < n; ++i) {
      arena.reset();
      const auto hits =
          self.index.search(self.index.prepare(data.data() + i * self.index.dim()), k, words, arena);
      for (std::size_t j = 0; j < k; ++j) {
        rows_out[i * k + j] = j < hits.size() ? static_cast<std::int64_t>(hits[j].row) : -1;
        scores_out[i * k + j] = j < hits.size() ? hits[j].score : -std::numeric_limits<float>::infinity();
      }
    }
  }
  return py::make_tuple(rows, scores);
}

// The metric of pairs (queries[i], rows[i]).
py::array_t<float> pair_scores(const BoundIndex& self, const Array<float>& queries,
                               const Array<std::uint32_t>& rows) {
  const std::span<const float> data = as_matrix(queries, self.index.dim(), "queries");
  const std::span<const std::uint32_t> row = as_vector(rows, "rows");
  if (row.size() != static_cast<std::size_t>(queries.shape(0))) {
    throw Error(ErrorCode::invalid_argument, "rows: expected one for each query");
  }
  for (const std::uint32_t r : row) {
    if (r >= self.index.size()) throw Error(ErrorCode::invalid_argument, "rows: a row beyond the index");
  }
  py::array_t<float> scores(rows.shape(0));
  float* const out = scores.mutable_data();
  {
    const py::gil_scoped_release unlocked;
    for (std::size_t i = 0; i < row.size(); ++i) {
      self.index.scores(self.index.prepare(data.data() + i * self.index.dim()), row.subspan(i, 1), out + i);
    }
  }
  return scores;
}

}  // namespace

void register_retrieval(py::module_& module) {
  py::classh<BoundIndex>(module, "FlatIndex")
      .def(py::init(&make_index), py::arg("vectors").noconvert(), py::arg("metric"))
      .def_property_readonly("inverse_norms", [](const BoundIndex& self) { return self.inverse_norms; })
      .def("search", &search, py::arg("queries").noconvert(), py::arg("k"),
           py::arg("allowed").noconvert() = py::none())
      .def("pair_scores", &pair_scores, py::arg("queries").noconvert(), py::arg("rows").noconvert());
}

}  // namespace shortlist::python
