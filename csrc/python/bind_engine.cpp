// shortlist._core.Engine: requests in, shortlists out, without the GIL.
#include <memory>
#include <variant>

#include "base/error.hpp"
#include "base/thread_pool.hpp"
#include "pipeline/engine.hpp"
#include "python/bindings.hpp"

namespace shortlist::python {
namespace {

using pipeline::Engine;
using pipeline::Failure;

// Scratch memory of this thread, kept between requests; given up only after the reply was copied out. While a
// request runs Python code may run too (a ranker, a signal handler, a finalizer) and ask again on the same
// thread: that request gets memory of its own.
class ArenaLease {
 public:
  ArenaLease() : nested_(leased_) { leased_ = true; }
  ~ArenaLease() {
    if (nested_) return;
    leased_ = false;
    of_thread_.reset();
  }
  ArenaLease(const ArenaLease&) = delete;
  ArenaLease& operator=(const ArenaLease&) = delete;
  [[nodiscard]] Arena& arena() noexcept { return nested_ ? own_ : of_thread_; }

 private:
  static thread_local Arena of_thread_;
  static thread_local bool leased_;
  bool nested_;
  Arena own_;
};
thread_local Arena ArenaLease::of_thread_;
thread_local bool ArenaLease::leased_ = false;

// A ranker that Python runs, such as ONNX Runtime: predict(blocks: list of arrays) -> float64 array.
class CallbackRanker final : public pipeline::Ranker {
 public:
  CallbackRanker(py::function predict, std::vector<std::string> names, std::size_t n_outputs)
      : predict_(std::move(predict)), names_(std::move(names)), n_outputs_(n_outputs) {}
  ~CallbackRanker() override {
    const py::gil_scoped_acquire locked;
    predict_ = py::function();
  }
  [[nodiscard]] std::size_t n_features() const noexcept override { return names_.size(); }
  [[nodiscard]] std::size_t n_outputs() const noexcept override { return n_outputs_; }
  [[nodiscard]] std::span<const std::string> feature_names() const noexcept override { return names_; }
  [[nodiscard]] bool predict(const std::uint32_t* rows, std::size_t n, double* out, Arena&) const override {
    const py::gil_scoped_acquire locked;
    try {
      const py::array_t<std::uint32_t> cells({n, names_.size()}, rows);  // a copy: the call may keep it
      using Scores = py::array_t<double, py::array::c_style | py::array::forcecast>;
      const auto scores = Scores::ensure(predict_(cells));  // null where it is nothing like numbers
      if (!scores || static_cast<std::size_t>(scores.size()) != n * n_outputs_) return false;
      std::copy_n(scores.data(), n * n_outputs_, out);
      return true;
    } catch (py::error_already_set& error) {
      error.discard_as_unraisable("the ranker of a bundle");
      return false;
    }
  }

 private:
  py::function predict_;
  std::vector<std::string> names_;
  std::size_t n_outputs_;
};

[[noreturn]] void raise(const Failure& failure) {
  const char* const name = failure.kind == Failure::Kind::bad_request ? "RequestError" : "ScoringError";
  const py::object type = py::module_::import("shortlist.errors").attr(name);
  PyErr_SetObject(type.ptr(), py::str(failure.message.data(), failure.message.size()).ptr());
  throw py::error_already_set();
}

// Runs `call(arena, failure)` without the GIL; the bytes of a body cannot change meanwhile.
template <class Call>
void run_unlocked(ArenaLease& lease, Call call) {
  Failure failure;
  bool done;
  {
    const py::gil_scoped_release unlocked;
    done = call(lease.arena(), failure);
  }
  if (!done) raise(failure);
}

std::string_view view(const py::bytes& body) { return body; }

py::bytes rank_json(const Engine& engine, const py::bytes& body, bool timings) {
  ArenaLease lease;
  std::string_view reply;
  run_unlocked(lease, [&, text = view(body)](Arena& arena, Failure& failure) {
    return engine.rank_json(text, timings, arena, reply, failure);
  });
  return {reply.data(), reply.size()};
}

py::bytes score_json(const Engine& engine, const py::bytes& body) {
  ArenaLease lease;
  std::string_view reply;
  run_unlocked(lease, [&, text = view(body)](Arena& arena, Failure& failure) {
    return engine.score_json(text, arena, reply, failure);
  });
  return {reply.data(), reply.size()};
}

py::object ids_of(const table::IdMap& ids, std::span<const std::uint32_t> rows) {
  if (!ids.is_text()) {
    py::array_t<std::int64_t> result(static_cast<py::ssize_t>(rows.size()));
    std::int64_t* const out = result.mutable_data();
    for (std::size_t i = 0; i < rows.size(); ++i) out[i] = ids.integer(rows[i]);
    return result;
  }
  py::list result(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string_view id = ids.text(rows[i]);
    result[i] = py::str(id.data(), id.size());
  }
  return result;
}

// A result copied out of the arena, so that a thread can go on to the next request.
struct Answer {
  std::vector<std::uint32_t> rows;
  std::vector<double> scores;
  std::optional<std::string> request_id;
  std::optional<std::string> fallback;
  std::vector<std::variant<std::int64_t, std::string>> unknown_ids;
  telemetry::StageTimes times{};
  Failure::Kind failure = Failure::Kind::none;
  std::string message;
};

Answer answer(const Engine& engine, std::string_view body) {
  ArenaLease lease;
  pipeline::RankResult result;
  Failure failure;
  Answer copy;
  if (!engine.rank(body, lease.arena(), result, failure)) {
    copy.failure = failure.kind;
    copy.message = failure.message;
    return copy;
  }
  engine.counters().count_request(telemetry::Route::rank, result.times);
  copy.rows.assign(result.rows.begin(), result.rows.end());
  copy.scores.assign(result.scores.begin(), result.scores.end());
  if (result.request_id) copy.request_id = std::string(*result.request_id);
  if (!result.fallback.empty()) copy.fallback = std::string(result.fallback);
  for (const json::Value id : result.unknown_ids) {
    if (id.is(json::Type::integer)) {
      copy.unknown_ids.emplace_back(id.integer());
    } else {
      copy.unknown_ids.emplace_back(std::string(id.string()));
    }
  }
  copy.times = result.times;
  return copy;
}

// ids, scores, request_id, fallback, unknown_ids, timings
py::tuple as_tuple(const Engine& engine, const Answer& answer) {
  py::dict timings;
  for (std::size_t stage = 0; stage < answer.times.size(); ++stage) {
    if (answer.times[stage] == 0) continue;
    timings[py::str(telemetry::kStageNames[stage])] = static_cast<double>(answer.times[stage]) / 1000.0;
  }
  return py::make_tuple(
      ids_of(engine.items()->ids(), answer.rows),
      py::array_t<double>(static_cast<py::ssize_t>(answer.scores.size()), answer.scores.data()),
      answer.request_id, answer.fallback, answer.unknown_ids, timings);
}

// Bodies are ranked on up to n_threads threads of the native pool; the first failure by position is raised.
py::list rank_many(const Engine& engine, const std::vector<py::bytes>& bodies, std::size_t n_threads) {
  std::vector<std::string_view> texts(bodies.begin(), bodies.end());
  std::vector<Answer> answers(bodies.size());
  {
    const py::gil_scoped_release unlocked;
    parallel_for(texts.size(), n_threads, [&](std::size_t i) { answers[i] = answer(engine, texts[i]); });
  }
  py::list results(answers.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].failure != Failure::Kind::none) {
      const std::string message = "requests[" + std::to_string(i) + "]: " + answers[i].message;
      raise({answers[i].failure, message});
    }
    results[i] = as_tuple(engine, answers[i]);
  }
  return results;
}

py::tuple rank(const Engine& engine, const py::bytes& body) {
  Answer result;
  {
    const std::string_view text = view(body);
    const py::gil_scoped_release unlocked;
    result = answer(engine, text);
  }
  if (result.failure != Failure::Kind::none) raise({result.failure, result.message});
  return as_tuple(engine, result);
}

// float64 (n,) or (n, n_outputs)
py::array_t<double> score(const Engine& engine, const py::bytes& body) {
  ArenaLease lease;
  pipeline::ScoreResult result;
  run_unlocked(lease, [&, text = view(body)](Arena& arena, Failure& failure) {
    return engine.score(text, arena, result, failure);
  });
  engine.counters().count_request(telemetry::Route::score, result.times);
  const std::size_t n_outputs = engine.ranker().n_outputs();
  if (n_outputs == 1)
    return py::array_t<double>(static_cast<py::ssize_t>(result.n_rows), result.scores.data());
  return py::array_t<double>({result.n_rows, n_outputs}, result.scores.data());
}

std::unique_ptr<Engine> open(const std::string& folder, bool strict,
                             std::shared_ptr<telemetry::Counters> counters,
                             std::shared_ptr<CallbackRanker> ranker) {
  const py::gil_scoped_release unlocked;
  return std::make_unique<Engine>(folder,
                                  pipeline::EngineOptions{strict, std::move(counters), std::move(ranker)});
}

}  // namespace

void register_engine(py::module_& module) {
  py::classh<CallbackRanker>(module, "CallbackRanker")
      .def(py::init<py::function, std::vector<std::string>, std::size_t>(), py::arg("predict"),
           py::arg("feature_names"), py::arg("n_outputs"));
  py::classh<Engine>(module, "Engine")
      .def(py::init(&open), py::arg("folder"), py::kw_only(), py::arg("strict") = false,
           py::arg("counters") = py::none(), py::arg("ranker") = py::none())
      .def_property_readonly("name", &Engine::name)
      .def_property_readonly("version", &Engine::version)
      .def_property_readonly("ranks", [](const Engine& engine) { return engine.items() != nullptr; })
      .def("rank", &rank, py::arg("body"))
      .def("rank_many", &rank_many, py::arg("bodies"), py::arg("n_threads"))
      .def("rank_json", &rank_json, py::arg("body"), py::arg("timings") = false)
      .def("score", &score, py::arg("body"))
      .def("score_json", &score_json, py::arg("body"));
}

}  // namespace shortlist::python
