#include "trees/format_v1.hpp"

#include <string>

#include "base/error.hpp"
#include "trees/node.hpp"

namespace shortlist::trees {
namespace {

constexpr std::size_t kHeaderSizeV1 = 5;

[[noreturn]] void reject(const std::string& why) {
  throw Error(ErrorCode::invalid_format, "compiled forest of format 1: " + why);
}

// A slice [offsets[i], offsets[i + 1]) of `values`.
template <class T>
std::span<const T> slice(const char* name, std::span<const T> values, std::span<const std::uint32_t> offsets,
                         std::size_t i) {
  if (i + 1 >= offsets.size() || offsets[i] > offsets[i + 1] || offsets[i + 1] > values.size())
    reject(std::string(name) + " of feature " + std::to_string(i) + " are out of bounds");
  return values.subspan(offsets[i], offsets[i + 1] - offsets[i]);
}

}  // namespace

UpgradedForest::UpgradedForest(const ForestArraysV1& old) : old_(old) {
  if (old.header.size() != kHeaderSizeV1 || old.header[2] == 0)
    reject("header has " + std::to_string(old.header.size()) + " elements or no outputs");
  if (old.scale.size() != 1) reject("scale has " + std::to_string(old.scale.size()) + " elements");
  if (old.tree_roots.size() < 2) reject("tree_roots has fewer than 2 elements: no tree");
  const std::uint32_t n_outputs = old.header[2];
  const auto n_trees = static_cast<std::uint32_t>(old.tree_roots.size() - 1);
  if (n_outputs > n_trees || n_trees % n_outputs != 0)
    reject(std::to_string(n_trees) + " trees are no multiple of " + std::to_string(n_outputs) + " outputs");
  for (std::uint32_t t = 0; t < n_trees; ++t) {
    tree_outputs_.push_back(t % n_outputs);
    if (t % n_outputs == 0) round_trees_.push_back(t);
  }
  round_trees_.push_back(n_trees);
  const std::uint32_t n_rounds = n_trees / n_outputs;
  const std::uint32_t divisor = old.header[4];
  if (divisor != 0 && divisor != n_rounds) reject("header has a divisor that is not the number of rounds");
  const std::uint32_t flags = divisor == 0 ? 0 : static_cast<std::uint32_t>(Flag::average);
  header_ = {kForestFormat, old.header[1], n_outputs, 1, old.header[3], 0, flags, n_rounds};
  scales_ = {old.scale[0], 1.0, 0.0};
  zeros_.assign(n_outputs, 0.0);
  add_columns(old);
  add_leaves(old);
  segment_views_ = {0, static_cast<std::uint32_t>(view_columns_.size())};
  segment_trees_ = {0, n_trees};
}

// Views stood by feature and then by kind, sets last: so do the columns.
void UpgradedForest::add_columns(const ForestArraysV1& old) {
  if (old.view_kinds.size() != old.view_features.size())
    reject("view_kinds has " + std::to_string(old.view_kinds.size()) + " elements, expected " +
           std::to_string(old.view_features.size()));
  bool set_before = false;
  for (std::size_t v = 0; v < old.view_features.size(); ++v) {
    const std::uint32_t feature = old.view_features[v];
    const bool set = old.view_kinds[v] == static_cast<std::uint8_t>(ViewKind::category);
    if (old.view_kinds[v] > static_cast<std::uint8_t>(ViewKind::category))
      reject("view_kinds[" + std::to_string(v) + "] is unknown");
    if (column_features_.empty() || column_features_.back() != feature || set != set_before)
      add_column(old, feature, set);
    set_before = set;
    view_columns_.push_back(static_cast<std::uint32_t>(column_features_.size() - 1));
  }
}

void UpgradedForest::add_column(const ForestArraysV1& old, std::uint32_t feature, bool set) {
  column_features_.push_back(feature);
  if (set) {
    const auto categories = slice("categories", old.categories, old.category_offsets, feature);
    if (categories.size() > kMaxCodes)
      reject("feature " + std::to_string(feature) + " has more than 65,533 categories; pack the model again");
    for (std::size_t i = 0; i < categories.size(); ++i) {
      keys_.push_back(categories[i]);
      key_codes_.push_back(static_cast<std::uint16_t>(i));
    }
  } else {
    const auto thresholds = slice("thresholds", old.thresholds, old.threshold_offsets, feature);
    thresholds_.insert(thresholds_.end(), thresholds.begin(), thresholds.end());
  }
  threshold_offsets_.push_back(static_cast<std::uint32_t>(thresholds_.size()));
  key_offsets_.push_back(static_cast<std::uint32_t>(keys_.size()));
}

void UpgradedForest::add_leaves(const ForestArraysV1& old) {
  if (old.values.size() != old.nodes.size()) {
    reject("values has " + std::to_string(old.values.size()) + " elements, expected " +
           std::to_string(old.nodes.size()));
  }
  for (std::size_t t = 0; t + 1 < old.tree_roots.size(); ++t) {
    const std::size_t end = old.tree_roots[t + 1];
    if (old.tree_roots[t] > end || end > old.nodes.size())
      reject("tree_roots is out of bounds at tree " + std::to_string(t));
    std::uint32_t id = 0;
    for (std::size_t i = old.tree_roots[t]; i < end; ++i) {
      if (old.nodes[i] >> 32 != i) continue;
      leaf_values_.push_back(old.values[i]);
      leaf_ids_.push_back(id++);
    }
    tree_leaves_.push_back(static_cast<std::uint32_t>(leaf_values_.size()));
  }
}

ForestArrays UpgradedForest::arrays() const {
  return {
      .header = header_,
      .scales = scales_,
      .base = zeros_,
      .bias = zeros_,
      .column_features = column_features_,
      .thresholds = thresholds_,
      .threshold_offsets = threshold_offsets_,
      .keys = keys_,
      .key_offsets = key_offsets_,
      .key_codes = key_codes_,
      .view_columns = view_columns_,
      .view_kinds = old_.view_kinds,
      .segment_views = segment_views_,
      .segment_trees = segment_trees_,
      .tree_roots = old_.tree_roots,
      .tree_leaves = tree_leaves_,
      .tree_outputs = tree_outputs_,
      .round_trees = round_trees_,
      .nodes = old_.nodes,
      .leaf_values = leaf_values_,
      .leaf_ids = leaf_ids_,
      .tree_bitsets = old_.tree_bitsets,
      .bitset_offsets = old_.bitset_offsets,
      .bitset_words = old_.bitset_words,
      .linear_constants = {},
      .linear_offsets = {},
      .linear_features = {},
      .linear_coefficients = {},
      .weights = {},
  };
}

}  // namespace shortlist::trees
