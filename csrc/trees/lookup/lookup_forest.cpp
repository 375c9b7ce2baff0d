#include "trees/lookup/lookup_forest.hpp"

#include <bit>
#include <utility>

#include "trees/node.hpp"

namespace shortlist::trees {
namespace {

constexpr std::size_t kMaxLevels = 8;  // a code is a byte
constexpr std::size_t kMaxMasks = std::size_t{4} << 20;

std::uint32_t header(const ForestArrays& forest, Header entry) {
  return forest.header[static_cast<std::size_t>(entry)];
}

bool has(const ForestArrays& forest, Flag flag) {
  return (header(forest, Header::flags) & static_cast<std::uint32_t>(flag)) != 0;
}

std::span<const std::uint8_t> views_of(const ForestArrays& forest, std::size_t segment) {
  return forest.view_kinds.subspan(forest.segment_views[segment],
                                   forest.segment_views[segment + 1] - forest.segment_views[segment]);
}

// The levels of the deepest of some oblivious trees.
std::uint32_t deepest(const ForestArrays& forest, std::uint32_t first, std::uint32_t last) {
  std::uint32_t depth = 0;
  for (std::uint32_t t = first; t < last; ++t)
    depth = std::max(depth, forest.tree_roots[t + 1] - forest.tree_roots[t]);
  return depth;
}

}  // namespace

LookupForest::LookupForest(const ForestArrays& forest)
    : kernels_(&active_kernels().lookup),
      n_outputs_(header(forest, Header::n_outputs)),
      first_leaf_(forest.tree_leaves.begin(), forest.tree_leaves.end()),
      outputs_(forest.tree_outputs.begin(), forest.tree_outputs.end()) {
  for (std::size_t s = 0; s + 1 < forest.segment_views.size(); ++s) {
    if (!add_segment(forest, s)) {
      *this = LookupForest();
      return;
    }
  }
  add_values(forest);
}

bool LookupForest::add_segment(const ForestArrays& forest, std::size_t segment) {
  Segment made(forest, segment);
  if (!made.encoder.fits()) return false;
  const bool oblivious = has(forest, Flag::oblivious);
  if (oblivious && deepest(forest, made.first_tree, made.last_tree) > kMaxLevels) return false;
  const SetNodes nodes = oblivious ? add_oblivious(forest, segment, made) : add_binary(forest, segment, made);
  made.n_masks = oblivious ? made.levels.size() : made.blocks.size();
  std::size_t n_codes = 0;
  for (std::size_t s = 0; s < made.encoder.n_sets(); ++s) n_codes += made.encoder.n_codes(s);
  if (n_codes * made.n_masks > kMaxMasks) return false;
  add_masks(forest, nodes, made);
  segments_.push_back(std::move(made));
  return true;
}

LookupForest::SetNodes LookupForest::add_binary(const ForestArrays& forest, std::size_t segment,
                                                Segment& made) {
  std::vector<BinaryTree> trees;
  for (std::uint32_t t = made.first_tree; t < made.last_tree; ++t) {
    const std::uint32_t root = forest.tree_roots[t];
    trees.push_back({forest.nodes.subspan(root, forest.tree_roots[t + 1] - root), root, forest.tree_leaves[t],
                     forest.tree_bitsets[t]});
  }
  const std::uint32_t n_roots = roots_per_block(trees);
  const std::size_t n_root_blocks = (trees.size() + n_roots - 1) / n_roots;

  TreeBlocks blocks;
  blocks.first_place = forest.tree_leaves[made.first_tree];
  TreeCutter cutter(made.encoder, views_of(forest, segment), blocks);
  for (std::size_t i = 0; i < n_root_blocks; ++i) blocks.add_block();
  for (std::uint32_t i = 0; i < trees.size(); ++i) {
    if (n_roots == 1) {
      cutter.cut(trees[i], i);
    } else {
      cutter.place(trees[i], i / n_roots, i % n_roots * static_cast<std::uint32_t>(kBlockNodes) / n_roots);
    }
  }
  made.shape = {cutter.doublings(), n_roots, made.encoder.n_bytes() > kRowBytes / 2};
  made.cut = blocks.blocks.size() > n_root_blocks;
  made.blocks = std::move(blocks.blocks);
  made.exits = std::move(blocks.exits);
  made.children = std::move(blocks.children);
  leaf_of_place_.insert(leaf_of_place_.end(), blocks.leaf_of_place.begin(), blocks.leaf_of_place.end());
  return std::move(blocks.set_nodes);
}

// Trees in their order, kBlockNodes at a time; on a level that a tree does not have it goes left.
LookupForest::SetNodes LookupForest::add_oblivious(const ForestArrays& forest, std::size_t segment,
                                                   Segment& made) {
  const std::span<const std::uint8_t> views = views_of(forest, segment);
  const std::uint32_t n_trees = made.last_tree - made.first_tree;
  made.n_levels = std::max(deepest(forest, made.first_tree, made.last_tree), 1u);
  LevelBlock nothing = {};
  std::fill_n(nothing.limit, kBlockNodes, std::uint8_t{255});
  made.levels.assign((n_trees + kBlockNodes - 1) / kBlockNodes * made.n_levels, nothing);
  SetNodes set_nodes;
  for (std::uint32_t i = 0; i < n_trees; ++i) {
    const std::uint32_t tree = made.first_tree + i;
    const std::uint32_t root = forest.tree_roots[tree];
    const std::uint32_t place = i % static_cast<std::uint32_t>(kBlockNodes);
    const std::uint32_t first_level = i / static_cast<std::uint32_t>(kBlockNodes) * made.n_levels;
    for (std::uint32_t level = 0; level < forest.tree_roots[tree + 1] - root; ++level) {
      const std::uint64_t node = forest.nodes[root + level];
      const auto asked = static_cast<std::uint32_t>(node & 0xffff);
      const auto view = static_cast<std::uint32_t>(node >> 16 & 0xffff);
      if (asks_for_set(static_cast<ViewKind>(views[view]))) {
        set_nodes.push_back({static_cast<std::uint32_t>(made.encoder.set_of(view)),
                             forest.tree_bitsets[tree] + asked, first_level + level, place});
      } else {
        const RowEncoder::Comparison comparison = made.encoder.comparison(view, asked);
        made.levels[first_level + level].column[place] = comparison.column;
        made.levels[first_level + level].limit[place] = comparison.limit;
      }
    }
  }
  for (std::uint32_t i = forest.tree_leaves[made.first_tree]; i < forest.tree_leaves[made.last_tree]; ++i)
    leaf_of_place_.push_back(i);
  return set_nodes;
}

// For each set and code the nodes of each block that go right.
void LookupForest::add_masks(const ForestArrays& forest, const SetNodes& nodes, Segment& made) {
  const std::size_t n_sets = made.encoder.n_sets();
  std::size_t size = 0;
  for (std::size_t s = 0; s < n_sets; ++s) {
    made.first_mask.push_back(size);
    size += made.encoder.n_codes(s) * made.n_masks;
  }
  made.masks.assign(size, 0);
  // All nodes of a view for every code, then the codes of the sets out again.
  for (const SetNode& node : nodes)
    made.masks[made.first_mask[node.set] + node.block] |= std::uint64_t{1} << node.node;
  for (std::size_t s = 0; s < n_sets; ++s) {
    std::uint64_t* const of_first_code = made.masks.data() + made.first_mask[s];
    for (std::size_t code = 1; code < made.encoder.n_codes(s); ++code)
      std::copy_n(of_first_code, made.n_masks, of_first_code + code * made.n_masks);
  }
  for (const SetNode& node : nodes) {
    const std::uint32_t begin = forest.bitset_offsets[node.bitset];
    const std::uint32_t n_words = forest.bitset_offsets[node.bitset + 1] - begin;
    const std::size_t n_codes = made.encoder.n_codes(node.set);
    for (std::uint32_t word = 0; word < n_words; ++word) {
      for (std::uint32_t bits = forest.bitset_words[begin + word]; bits != 0; bits &= bits - 1) {
        const std::size_t code = word * 32 + static_cast<std::size_t>(std::countr_zero(bits));
        if (code >= n_codes) break;  // no row has it
        made.masks[made.first_mask[node.set] + code * made.n_masks + node.block] &=
            ~(std::uint64_t{1} << node.node);
      }
    }
  }
}

void LookupForest::add_values(const ForestArrays& forest) {
  if (header(forest, Header::leaf_width) != 1) return;
  const std::size_t n = leaf_of_place_.size();
  if (has(forest, Flag::float32)) {
    values32_ = AlignedBuffer<float>(n);
    for (std::size_t i = 0; i < n; ++i)
      values32_[i] = static_cast<float>(forest.leaf_values[leaf_of_place_[i]]);
  } else {
    values64_ = AlignedBuffer<double>(n);
    for (std::size_t i = 0; i < n; ++i) values64_[i] = forest.leaf_values[leaf_of_place_[i]];
  }
}

LookupRow LookupForest::row_of(const Segment& segment, const EncodedRow& row,
                               const std::uint64_t** outside) const noexcept {
  const std::size_t n_sets = segment.first_mask.size();
  for (std::size_t s = 0; s < n_sets; ++s)
    outside[s] = segment.masks.data() + segment.first_mask[s] + row.codes[s] * segment.n_masks;
  return {row.bytes, outside, n_sets};
}

void LookupForest::find_places(const Segment& segment, const LookupRow& row, std::uint32_t first,
                               std::uint32_t n, std::uint32_t* places) const noexcept {
  if (!segment.levels.empty()) return find_places_of_codes(segment, row, first, n, places);
  std::uint8_t exits[kChunkTrees + 4 + 3];
  const std::uint32_t n_roots = segment.shape.n_roots;
  const std::uint32_t skipped = (first - segment.first_tree) % n_roots;  // trees of the first block
  const std::size_t block = (first - segment.first_tree) / n_roots;
  const std::size_t n_blocks = (skipped + n + n_roots - 1) / n_roots;
  kernels_->exits(segment.blocks.data(), block, n_blocks, segment.shape, row, exits);
  if (segment.cut) return follow(segment, row, first, n, exits, places);
  // A tree's exits count from its root.
  const std::uint32_t distance = static_cast<std::uint32_t>(kBlockNodes) / n_roots;
  for (std::uint32_t i = 0; i < n; ++i) {
    const std::uint32_t at = skipped + i;
    places[i] = first_leaf_[first + i] + exits[at] - static_cast<std::uint32_t>(kBlockNodes) -
                at % n_roots * distance;
  }
}

// From block to block until every tree's leaf is found.
void LookupForest::follow(const Segment& segment, const LookupRow& row, std::uint32_t first, std::uint32_t n,
                          const std::uint8_t* exits, std::uint32_t* places) const noexcept {
  std::uint32_t children[kChunkTrees], blocks[kChunkTrees];  // at hand
  std::uint8_t tree_of[kChunkTrees];
  std::uint8_t next_exits[kChunkTrees + 3];
  const std::uint32_t root = first - segment.first_tree;
  for (std::uint32_t i = 0; i < n; ++i) {
    blocks[i] = root + i;
    tree_of[i] = static_cast<std::uint8_t>(i);
  }
  for (std::uint32_t n_left = n;;) {
    std::uint32_t n_next = 0;
    for (std::uint32_t i = 0; i < n_left; ++i) {
      const BlockExits& block = segment.exits[blocks[i]];
      const std::uint32_t exit = exits[i] - static_cast<std::uint32_t>(kBlockNodes);
      const bool goes_on = exit < block.n_children;
      places[tree_of[i]] = block.first_place + exit - block.n_children;
      // Written before it is known whether it stays.
      const std::uint32_t child = segment.children[goes_on ? block.first_child + exit : 0];
      children[n_next] = child;
      blocks[n_next] = child / static_cast<std::uint32_t>(kBlockNodes);
      tree_of[n_next] = tree_of[i];
      const TreeBlock* const ahead = segment.blocks.data() + blocks[n_next];
      __builtin_prefetch(ahead->column);
      __builtin_prefetch(ahead->limit);
      __builtin_prefetch(ahead->left);
      __builtin_prefetch(ahead->right);
      n_next += goes_on ? 1 : 0;
    }
    if (n_next == 0) return;
    kernels_->exits_of(segment.blocks.data(), children, n_next, segment.shape, row, next_exits);
    exits = next_exits;
    n_left = n_next;
  }
}

void LookupForest::find_places_of_codes(const Segment& segment, const LookupRow& row, std::uint32_t first,
                                        std::uint32_t n, std::uint32_t* places) const noexcept {
  std::uint8_t codes[kBlockNodes];
  const std::uint32_t begin = first - segment.first_tree;
  kernels_->codes(segment.levels.data(), begin / kBlockNodes * segment.n_levels, segment.n_levels, row,
                  codes);
  const std::uint32_t skipped = begin % static_cast<std::uint32_t>(kBlockNodes);
  for (std::uint32_t i = 0; i < n; ++i) places[i] = first_leaf_[first + i] + codes[skipped + i];
}

template <>
const double* LookupForest::values<double>() const noexcept {
  return values64_.data();
}
template <>
const float* LookupForest::values<float>() const noexcept {
  return values32_.data();
}

template <class Sum>
void LookupForest::add(std::size_t segment, std::uint32_t first, std::uint32_t last, std::size_t n, Sum* sums,
                       const std::byte* scratch) const noexcept {
  const Sum* const numbers = values<Sum>();
  if (n_outputs_ == 1) {
    each_chunk(segment, first, last, n, scratch, [&](std::size_t row, const Chunk& chunk) {
      Sum sum = sums[row];
      for (std::uint32_t i = 0; i < chunk.n; ++i) sum += numbers[chunk.places[i]];
      sums[row] = sum;
    });
    return;
  }
  each_chunk(segment, first, last, n, scratch, [&](std::size_t row, const Chunk& chunk) {
    Sum* const of_row = sums + row * n_outputs_;
    for (std::uint32_t i = 0; i < chunk.n; ++i) of_row[outputs_[chunk.first + i]] += numbers[chunk.places[i]];
  });
}

template void LookupForest::add<float>(std::size_t, std::uint32_t, std::uint32_t, std::size_t, float*,
                                       const std::byte*) const noexcept;
template void LookupForest::add<double>(std::size_t, std::uint32_t, std::uint32_t, std::size_t, double*,
                                        const std::byte*) const noexcept;

}  // namespace shortlist::trees
