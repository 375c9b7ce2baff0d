#include "retrieval/stored_index.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "retrieval/list_tensors.hpp"

namespace shortlist::retrieval {

StoredIndex::StoredIndex(const TensorFile& file) : vectors_(file) {
  if (!has_lists(file)) return;
  lists_ = read_lists(file, vectors_);
  index_.emplace(vectors_, *lists_);
  read_plans(file);
}

// Columns: k, effort, candidates, vectors that are scored by their codes on average.
void StoredIndex::read_plans(const TensorFile& file) {
  constexpr std::size_t kColumns = 4;
  constexpr double kMost = 1e9;
  if (!file.has("plans")) return;
  const std::span<const double> values = file.get<double>("plans", {TensorFile::kAny, kColumns});
  for (std::size_t i = 0; i + kColumns <= values.size(); i += kColumns) {
    const double k = values[i];
    const double effort = values[i + 1];
    const double n_candidates = values[i + 2];
    const double n_typical = values[i + 3];
    const double least = plans_.empty() ? 1.0 : static_cast<double>(plans_.back().k) + 1.0;
    if (!(k >= least && k <= kMost && effort >= 0.0 && n_candidates >= k && n_candidates <= kMost &&
          n_typical >= 0.0 && n_typical <= kMost)) {
      throw Error(
          ErrorCode::invalid_format,
          file.name() + ": tensor \"plans\" has an invalid or misplaced row " + std::to_string(i / kColumns));
    }
    plans_.push_back({static_cast<std::size_t>(k), static_cast<float>(effort),
                      static_cast<std::size_t>(n_candidates), true, static_cast<std::size_t>(n_typical)});
  }
}

// That of the next k, which reaches the recall for a smaller one too, with as many spare candidates.
SearchPlan StoredIndex::plan_of(std::size_t k) const noexcept {
  if (plans_.empty()) return {k, SearchPlan::kExact, k, true, 0};
  const auto found =
      std::find_if(plans_.begin(), plans_.end(), [k](const SearchPlan& plan) { return plan.k >= k; });
  SearchPlan plan = found == plans_.end() ? plans_.back() : *found;
  plan.n_candidates = k + ((plan.n_candidates - plan.k) * k + plan.k - 1) / plan.k;
  plan.k = k;
  return plan;
}

std::span<Hit> StoredIndex::search(const Query& query, std::size_t k, const std::uint64_t* allowed,
                                   Arena& arena) const {
  if (!index_) return vectors_.search(query, k, allowed, arena);
  SearchCounts counts;
  return index_->search(query, plan_of(k), {allowed, std::nullopt}, arena, counts);
}

}  // namespace shortlist::retrieval
