// shortlist._core.VectorIndex and its builder over NumPy vectors.
#include <cmath>
#include <memory>
#include <optional>

#include "base/bitmap.hpp"
#include "base/thread_pool.hpp"
#include "python/arrays.hpp"
#include "python/bindings.hpp"
#include "retrieval/list_builder.hpp"
#include "retrieval/list_tensors.hpp"
#include "retrieval/vector_index.hpp"

namespace shortlist::python {
namespace {

using retrieval::FlatIndex;
using retrieval::Hit;
using retrieval::OwnedLists;
using retrieval::SearchCounts;

// The metric over arrays that are kept alive.
struct BoundVectors {
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

BoundVectors bind_vectors(const Array<float>& vectors, const std::string& metric_name) {
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

// Coded lists with the arrays or the memory behind them.
struct BoundLists {
  OwnedLists owned;
  py::dict arrays;
  retrieval::CodedLists view;
};

struct BoundIndex {
  std::shared_ptr<const BoundVectors> vectors;
  std::shared_ptr<const BoundLists> lists;
  retrieval::VectorIndex index;

  [[nodiscard]] const FlatIndex& flat() const noexcept { return vectors->index; }
};

struct BoundBuilder {
  std::shared_ptr<const BoundVectors> vectors;
  retrieval::ListBuilder builder;

  BoundBuilder(const Array<float>& array, const std::string& metric, std::size_t n_lists,
               std::size_t points_per_list, std::uint64_t seed, std::size_t n_threads)
      : vectors(std::make_shared<const BoundVectors>(bind_vectors(array, metric))),
        builder(vectors->index, n_lists, points_per_list, seed, n_threads) {}

  void assign(std::size_t first, std::size_t last) {
    if (first > last || last > vectors->index.size())
      throw Error(ErrorCode::invalid_argument, "assign: expected a range of rows");
    const py::gil_scoped_release unlocked;
    builder.assign(first, last);
  }
  [[nodiscard]] BoundIndex finish() const {
    auto lists = std::make_shared<BoundLists>();
    {
      const py::gil_scoped_release unlocked;
      lists->owned = builder.finish();
      lists->view = lists->owned.view;
    }
    return {vectors, lists, retrieval::VectorIndex(vectors->index, lists->view)};
  }
};

// One query, or several in rows, all finite.
struct Queries {
  std::span<const float> data;
  std::size_t n;
};
Queries checked_queries(const Array<float>& queries, std::size_t dim) {
  if (queries.ndim() == 1 && static_cast<std::size_t>(queries.shape(0)) == dim)
    return {{queries.data(), dim}, 1};
  const std::span<const float> data = as_matrix(queries, dim, "queries");
  return {data, static_cast<std::size_t>(queries.shape(0))};
}
void check_finite(const Queries& queries, std::size_t dim) {
  for (std::size_t i = 0; i < queries.n; ++i) {
    // A sum of products with zero is zero, or NaN where one was not finite.
    float sum = 0.0f;
    for (std::size_t j = 0; j < dim; ++j) sum += queries.data[i * dim + j] * 0.0f;
    if (sum != 0.0f) {
      throw Error(ErrorCode::invalid_argument,
                  "queries: row " + std::to_string(i) + " is not finite in float32");
    }
  }
}

// Where a search writes: ids, or rows where there are none.
struct Output {
  std::int64_t* ids;
  float* scores;
};

void search_one(const BoundIndex& self, const float* vector, const retrieval::SearchPlan& plan,
                const retrieval::AllowedRows& allowed, const std::int64_t* ids, Output out,
                SearchCounts& counts) {
  thread_local Arena arena;
  arena.reset();
  const std::span<const Hit> hits =
      self.index.search(self.flat().prepare(vector), plan, allowed, arena, counts);
  for (std::size_t j = 0; j < hits.size(); ++j) {
    out.ids[j] = ids == nullptr ? static_cast<std::int64_t>(hits[j].row) : ids[hits[j].row];
    out.scores[j] = hits[j].score;
  }
  std::fill(out.ids + hits.size(), out.ids + plan.k, std::int64_t{-1});
  std::fill(out.scores + hits.size(), out.scores + plan.k, -std::numeric_limits<float>::infinity());
}

SearchCounts search_all(const BoundIndex& self, const Queries& queries, const retrieval::SearchPlan& plan,
                        const retrieval::AllowedRows& allowed, const std::int64_t* ids, Output out,
                        std::size_t n_threads) {
  const std::size_t dim = self.flat().dim();
  SearchCounts total;
  const auto run = [&](std::size_t i, SearchCounts& counts) {
    search_one(self, queries.data.data() + i * dim, plan, allowed, ids,
               {out.ids + i * plan.k, out.scores + i * plan.k}, counts);
  };
  if (queries.n <= 1 || n_threads <= 1) {
    for (std::size_t i = 0; i < queries.n; ++i) run(i, total);
    return total;
  }
  std::vector<SearchCounts> counts(queries.n);
  parallel_for(queries.n, n_threads, [&](std::size_t i) { run(i, counts[i]); });
  for (const SearchCounts& one : counts) {
    total.n_lists += one.n_lists;
    total.n_vectors += one.n_vectors;
    total.n_reranked += one.n_reranked;
  }
  return total;
}

// An array to write to: a new one, or that of the caller where it has the shape.
template <class T>
py::array_t<T> output(const std::optional<Array<T>>& given, std::size_t n, std::size_t k, const char* name) {
  if (!given) return py::array_t<T>({n, k});
  if (given->ndim() != 2 || as_matrix(*given, k, name).size() != n * k || !given->writeable()) {
    throw Error(ErrorCode::invalid_argument, std::string(name) + ": expected a writable array of shape (" +
                                                 std::to_string(n) + ", " + std::to_string(k) + ")");
  }
  return *given;
}

// A bitmap of the allowed rows that are not excluded.
std::vector<std::uint64_t> without(const retrieval::AllowedRows& allowed,
                                   std::span<const std::uint32_t> excluded, std::size_t size) {
  std::vector<std::uint64_t> words(bitmap_words(size));
  if (allowed.words != nullptr)
    std::copy_n(allowed.words, words.size(), words.data());
  else if (!words.empty())
    fill_bits(words, size);
  for (const std::uint32_t row : excluded) {
    if (row >= size) throw Error(ErrorCode::invalid_argument, "excluded: a row beyond the index");
    clear_bit(words.data(), row);
  }
  return words;
}

// ids or rows (n, k) int64 with -1, scores (n, k) float32 with -inf where fewer than k rows pass; and how
// many lists, vectors by code and vectors in float32 were looked at.
py::tuple search(const BoundIndex& self, const Array<float>& queries, std::size_t k, double effort,
                 std::size_t n_candidates, bool rerank, std::size_t n_typical,
                 const std::optional<Array<std::uint64_t>>& allowed, std::optional<std::size_t> n_allowed,
                 const std::optional<Array<std::uint32_t>>& excluded,
                 const std::optional<Array<std::int64_t>>& ids,
                 const std::optional<Array<std::int64_t>>& out_ids,
                 const std::optional<Array<float>>& out_scores, std::size_t n_threads) {
  const Queries batch = checked_queries(queries, self.flat().dim());
  check_finite(batch, self.flat().dim());
  if (std::isnan(effort)) throw Error(ErrorCode::invalid_argument, "effort: got NaN, expected a number");
  const std::size_t size = self.flat().size();
  retrieval::AllowedRows rows;
  if (allowed) {
    if (as_vector(*allowed, "allowed").size() != bitmap_words(size))
      throw Error(ErrorCode::invalid_argument, "allowed: expected a bit for each vector");
    rows = {allowed->data(), n_allowed};
  }
  std::vector<std::uint64_t> remaining;
  if (excluded) {
    remaining = without(rows, as_vector(*excluded, "excluded"), size);
    rows = {remaining.data(), std::nullopt};
  }
  if (ids && as_vector(*ids, "ids").size() != size)
    throw Error(ErrorCode::invalid_argument, "ids: expected one for each vector");
  auto found = output(out_ids, batch.n, k, "out.ids");
  auto scores = output(out_scores, batch.n, k, "out.scores");
  const Output out{found.mutable_data(), scores.mutable_data()};
  const std::int64_t* const names = ids ? ids->data() : nullptr;
  const retrieval::SearchPlan plan{k, static_cast<float>(effort), n_candidates, rerank, n_typical};
  SearchCounts counts;
  {
    const py::gil_scoped_release unlocked;
    counts = search_all(self, batch, plan, rows, names, out, n_threads);
  }
  return py::make_tuple(std::move(found), std::move(scores), counts.n_lists, counts.n_vectors,
                        counts.n_reranked);
}

// The metric of pairs (queries[i], rows[i]).
py::array_t<float> pair_scores(const BoundIndex& self, const Array<float>& queries,
                               const Array<std::uint32_t>& rows) {
  const FlatIndex& flat = self.flat();
  const std::span<const float> data = as_matrix(queries, flat.dim(), "queries");
  const std::span<const std::uint32_t> row = as_vector(rows, "rows");
  if (row.size() != static_cast<std::size_t>(queries.shape(0))) {
    throw Error(ErrorCode::invalid_argument, "rows: expected one for each query");
  }
  for (const std::uint32_t r : row) {
    if (r >= flat.size()) throw Error(ErrorCode::invalid_argument, "rows: a row beyond the index");
  }
  py::array_t<float> scores(rows.shape(0));
  float* const out = scores.mutable_data();
  {
    const py::gil_scoped_release unlocked;
    for (std::size_t i = 0; i < row.size(); ++i) {
      flat.scores(flat.prepare(data.data() + i * flat.dim()), row.subspan(i, 1), out + i);
    }
  }
  return scores;
}

// Each tensor of the lists by its name in files.
template <class Lists, class Visit>
void visit_tensors(Lists& lists, bool l2, Visit&& visit) {
  visit("origin", lists.origin);
  visit("centroids", lists.centroids);
  visit("list_begins", lists.begins);
  visit("list_sizes", lists.sizes);
  visit("list_radii", lists.list_radii);
  visit("list_spreads", lists.list_spreads);
  visit("centroid_codes", lists.centroid_codes);
  visit("centroid_scales", lists.centroid_scales);
  if (l2) visit("centroid_biases", lists.centroid_biases);
  visit("centroid_margins", lists.centroid_margins);
  visit("codes", lists.codes);
  visit("scales", lists.scales);
  if (l2) visit("biases", lists.biases);
  visit("rows", lists.rows);
  visit("radii", lists.radii);
  visit("errors", lists.errors);
}

// Read-only views by name; they keep the index alive.
py::dict tensors(const py::object& self) {
  const auto& index = self.cast<const BoundIndex&>();
  const retrieval::CodedLists& lists = index.lists->view;
  py::dict found;
  visit_tensors(
      lists, index.flat().metric() == retrieval::Metric::l2, [&](const char* name, const auto& span) {
        using T = std::remove_const_t<typename std::remove_reference_t<decltype(span)>::element_type>;
        std::vector<std::size_t> shape{span.size()};
        if (std::string_view(name) == "centroids") shape = {lists.n_lists, lists.dim};
        py::array_t<T> array(shape, span.data(), self);
        array.attr("setflags")(py::arg("write") = false);
        found[name] = array;
      });
  return found;
}

// An index over arrays as tensors() gives them; they are checked, and viewed where they are aligned.
BoundIndex from_tensors(const Array<float>& vectors, const std::string& metric, const py::dict& arrays,
                        const std::string& where) {
  auto bound = std::make_shared<const BoundVectors>(bind_vectors(vectors, metric));
  auto lists = std::make_shared<BoundLists>();
  lists->arrays = py::dict(arrays.attr("copy")());
  lists->view.dim = bound->index.dim();
  visit_tensors(
      lists->view, bound->index.metric() == retrieval::Metric::l2, [&](const char* name, auto& span) {
        using T = std::remove_const_t<typename std::remove_reference_t<decltype(span)>::element_type>;
        if (!arrays.contains(name) || !Array<T>::check_(arrays[name])) {
          throw Error(ErrorCode::invalid_format,
                      where + ": tensor \"" + name + "\" is missing, or of another dtype");
        }
        const auto array = arrays[name].cast<Array<T>>();
        span = {array.data(), static_cast<std::size_t>(array.size())};
      });
  lists->view.n_lists = lists->view.sizes.size();
  {
    const py::gil_scoped_release unlocked;
    retrieval::check_lists(lists->view, bound->index, where);
  }
  return {bound, lists, retrieval::VectorIndex(bound->index, lists->view)};
}

}  // namespace

void register_retrieval(py::module_& module) {
  py::classh<BoundBuilder>(module, "VectorIndexBuilder")
      .def(py::init<const Array<float>&, const std::string&, std::size_t, std::size_t, std::uint64_t,
                    std::size_t>(),
           py::arg("vectors").noconvert(), py::arg("metric"), py::arg("n_lists"), py::arg("points_per_list"),
           py::arg("seed"), py::arg("n_threads"))
      .def("train",
           [](BoundBuilder& self) {
             const py::gil_scoped_release unlocked;
             self.builder.train();
           })
      .def("assign", &BoundBuilder::assign, py::arg("first"), py::arg("last"))
      .def("finish", &BoundBuilder::finish);
  py::classh<BoundIndex>(module, "VectorIndex")
      .def_static("from_tensors", &from_tensors, py::arg("vectors").noconvert(), py::arg("metric"),
                  py::arg("tensors"), py::arg("where"))
      .def("tensors", &tensors)
      .def_property_readonly("inverse_norms",
                             [](const BoundIndex& self) { return self.vectors->inverse_norms; })
      .def_property_readonly("n_lists", [](const BoundIndex& self) { return self.lists->view.n_lists; })
      .def("search", &search, py::arg("queries").noconvert(), py::arg("k"), py::arg("effort"),
           py::arg("n_candidates"), py::arg("rerank"), py::arg("n_typical") = 0,
           py::arg("allowed").noconvert() = py::none(), py::arg("n_allowed") = py::none(),
           py::arg("excluded").noconvert() = py::none(), py::arg("ids").noconvert() = py::none(),
           py::arg("out_ids").noconvert() = py::none(), py::arg("out_scores").noconvert() = py::none(),
           py::arg("n_threads") = 1)
      .def("pair_scores", &pair_scores, py::arg("queries").noconvert(), py::arg("rows").noconvert());
}

}  // namespace shortlist::python
