#include "trees/forest.hpp"

#include <algorithm>

#include "bundle/safetensors.hpp"
#include "trees/check.hpp"

namespace shortlist::trees {
namespace {

// A block's ranks stay near the first cache beside the tree at hand.
constexpr std::size_t kBlockBytes = std::size_t{48} << 10;
constexpr std::size_t kMaxBlockRows = 512;

std::size_t rows_of_block(std::size_t n_views) {
  const std::size_t row_bytes = std::max<std::size_t>(n_views, 1) * sizeof(std::uint16_t);
  const std::size_t rows = std::clamp(kBlockBytes / row_bytes, kGroupRows, kMaxBlockRows);
  return rows / kGroupRows * kGroupRows;
}

Node unpacked(std::uint64_t node, bool categorical) {
  const auto view = static_cast<std::uint32_t>(node >> 16 & 0xffff);
  return {static_cast<std::uint16_t>(node), static_cast<std::uint16_t>(2 * view + (categorical ? 1 : 0)),
          static_cast<std::uint32_t>(node >> 32)};
}

}  // namespace

Forest::Forest(const ForestArrays& arrays) : trees_(check_forest(arrays)) {
  n_features_ = arrays.header[1];
  n_outputs_ = arrays.header[2];
  transform_ = static_cast<Transform>(arrays.header[3]);
  divisor_ = arrays.header[4];
  scale_ = arrays.scale[0];
  quantiser_ = Quantiser(arrays.thresholds, arrays.threshold_offsets, arrays.categories,
                         arrays.category_offsets, arrays.view_features, arrays.view_kinds);
  block_rows_ = rows_of_block(quantiser_.n_views());

  nodes_ = AlignedBuffer<Node>(arrays.nodes.size());
  values_ = AlignedBuffer<double>(arrays.nodes.size());
  for (std::size_t i = 0; i < arrays.nodes.size(); ++i) {
    const std::uint64_t node = arrays.nodes[i];
    const bool leaf = node >> 32 == i;
    const bool categorical =
        !leaf && static_cast<ViewKind>(arrays.view_kinds[node >> 16 & 0xffff]) == ViewKind::category;
    nodes_[i] = unpacked(node, categorical);
    values_[i] = arrays.values[i];
  }
  // The general walk reads the tree's first bitset and its first word whether or not there are any.
  bitset_offsets_.assign(arrays.bitset_offsets.begin(), arrays.bitset_offsets.end());
  bitset_offsets_.push_back(bitset_offsets_.back());
  bitset_words_.assign(arrays.bitset_words.begin(), arrays.bitset_words.end());
  bitset_words_.push_back(0);
}

Forest Forest::load(const TensorFile& file) {
  constexpr std::size_t kAny = TensorFile::kAny;
  const auto u32 = [&](const char* name) { return file.get<std::uint32_t>(name, {kAny}); };
  return Forest(ForestArrays{
      .header = u32("header"),
      .scale = file.get<double>("scale", {1}),
      .thresholds = file.get<double>("thresholds", {kAny}),
      .threshold_offsets = u32("threshold_offsets"),
      .categories = u32("categories"),
      .category_offsets = u32("category_offsets"),
      .view_features = u32("view_features"),
      .view_kinds = file.get<std::uint8_t>("view_kinds", {kAny}),
      .tree_roots = u32("tree_roots"),
      .nodes = file.get<std::uint64_t>("nodes", {kAny}),
      .values = file.get<double>("values", {kAny}),
      .tree_bitsets = u32("tree_bitsets"),
      .bitset_offsets = u32("bitset_offsets"),
      .bitset_words = u32("bitset_words"),
  });
}

std::size_t Forest::scratch_bytes(std::size_t n) const noexcept {
  const std::size_t rows = std::min((n + kGroupRows - 1) / kGroupRows * kGroupRows, block_rows_);
  return rows * quantiser_.n_views() * sizeof(std::uint16_t);
}

WalkArrays Forest::walk_arrays() const noexcept {
  return {trees_,     nodes_.data(),       values_.data(), bitset_offsets_.data(), bitset_words_.data(),
          n_outputs_, quantiser_.n_views()};
}

template <class T>
void Forest::predict_rows(const T* rows, std::size_t n, bool raw, double* out,
                          std::byte* scratch) const noexcept {
  auto* ranks = reinterpret_cast<std::uint16_t*>(scratch);
  const WalkArrays arrays = walk_arrays();
  for (std::size_t first = 0; first < n; first += block_rows_) {
    const std::size_t count = std::min(block_rows_, n - first);
    quantiser_.ranks(rows + first * n_features_, count, n_features_, ranks);
    add_leaves(arrays, ranks, count, out + first * n_outputs_);
  }
  if (raw) return;
  if (divisor_ != 0.0) {
    for (std::size_t i = 0; i < n * n_outputs_; ++i) out[i] /= divisor_;
  }
  apply_transform(transform_, scale_, n_outputs_, n, out);
}

void Forest::predict(const float* rows, std::size_t n, bool raw, double* out,
                     std::byte* scratch) const noexcept {
  predict_rows(rows, n, raw, out, scratch);
}
void Forest::predict(const double* rows, std::size_t n, bool raw, double* out,
                     std::byte* scratch) const noexcept {
  predict_rows(rows, n, raw, out, scratch);
}

}  // namespace shortlist::trees
