#include "trees/bitslice/sliced_forest.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>

#include "kernels/kernels.hpp"
#include "trees/node.hpp"

namespace shortlist::trees {
namespace {

constexpr std::uint32_t kMinCodesByCode = 32;
constexpr std::size_t kMaxBytesByCode = std::size_t{32} << 20;
constexpr std::size_t kMaxMemoryBytes = std::size_t{8} << 20;  // of the vectors of a wide block

std::uint32_t header(const ForestArrays& forest, Header entry) {
  return forest.header[static_cast<std::size_t>(entry)];
}

bool has(const ForestArrays& forest, Flag flag) {
  return (header(forest, Header::flags) & static_cast<std::uint32_t>(flag)) != 0;
}

std::size_t aligned(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

std::size_t vector_bytes_for(std::size_t n) {
  return n > 8 * kNarrowVectorBytes ? kWideVectorBytes : kNarrowVectorBytes;
}

}  // namespace

SlicedForest::SlicedForest(const ForestArrays& forest, const BitsliceArrays& sliced) {
  if (sliced.predicate_offsets.empty()) return;
  n_outputs_ = header(forest, Header::n_outputs);
  planes_.assign(sliced.planes.begin(), sliced.planes.end());
  bitset_words_.assign(forest.bitset_words.begin(), forest.bitset_words.end());
  for (std::size_t s = 0; s + 1 < forest.segment_views.size(); ++s) add_segment(forest, sliced, s);
  for (const LogicInstruction& instruction : sliced.logic) {
    const std::size_t vector = instruction.op != LogicOp::select ? instruction.operand + 1u : 0;
    n_memory_ = std::max(n_memory_, vector);
  }
  for (const std::uint32_t plane : planes_) n_memory_ = std::max<std::size_t>(n_memory_, plane + 1);
  if ((n_memory_ + n_column_planes_) * kWideVectorBytes > kMaxMemoryBytes) {
    segments_.clear();
    return;
  }
  add_values(forest, sliced);
  compile(forest, sliced);
}

// Oblivious trees have no programs.
void SlicedForest::compile(const ForestArrays& forest, const BitsliceArrays& sliced) {
  if (sliced.logic.empty()) return;
  bool compiled = true;
  for (std::size_t s = 0; s < segments_.size(); ++s) {
    Segment& segment = segments_[s];
    std::vector<std::span<const LogicInstruction>> programs;
    for (std::size_t t = forest.segment_trees[s]; t < forest.segment_trees[s + 1]; ++t)
      programs.emplace_back(sliced.logic.data() + trees_[t].logic, trees_[t].n_logic);
    const std::size_t n_vectors = segment.n_predicates + kMaxWritten;
    segment.narrow = LogicJit(programs, kNarrowVectorBytes, n_vectors);
    segment.wide = LogicJit(programs, kWideVectorBytes, n_vectors);
    compiled = compiled && segment.narrow.available() && segment.wide.available();
  }
  if (!compiled) logic_.assign(sliced.logic.begin(), sliced.logic.end());
}

void SlicedForest::add_segment(const ForestArrays& forest, const BitsliceArrays& sliced,
                               std::size_t segment) {
  const std::size_t begin = sliced.predicate_offsets[segment], end = sliced.predicate_offsets[segment + 1];
  Segment made{end - begin, PlaneEncoder(forest, segment), {}, {}, {},
               {},          forest.segment_trees[segment], {}, {}};
  for (std::size_t i = begin; i < end; ++i) {
    const std::uint32_t view = view_of(sliced.predicates[i]), asked = asked_of(sliced.predicates[i]);
    if (i == begin || view != view_of(sliced.predicates[i - 1])) {
      made.views.push_back(of_view(forest, made.encoder, forest.segment_views[segment] + view));
      made.views.back().first = static_cast<std::uint32_t>(i - begin);
    }
    ++made.views.back().n;
    const bool set = made.views.back().n_codes != 0;
    made.above.push_back(static_cast<std::uint16_t>(set ? 0 : asked));
    made.begins.push_back(set ? forest.bitset_offsets[asked] : 0);
    made.ends.push_back(set ? forest.bitset_offsets[asked + 1] : 0);
  }
  for (ViewPredicates& view : made.views) {
    if (view.n_codes != 0) add_sets_by_code(forest, made, view);
  }
  n_memory_ = std::max(n_memory_, made.n_predicates);
  n_column_planes_ = std::max(n_column_planes_, made.encoder.n_vectors());
  segments_.push_back(std::move(made));
}

// Where the machine has a kernel for it, and the time of the other one grows with many codes.
void SlicedForest::add_sets_by_code(const ForestArrays& forest, const Segment& segment,
                                    ViewPredicates& view) {
  const std::size_t stride = (view.n + 511) / 512 * 64;
  const std::size_t size = stride * view.n_codes;
  if (active_kernels().blocks.wide.outside_sets_by_code == nullptr || view.n_codes < kMinCodesByCode ||
      sets_by_code_.size() + size > kMaxBytesByCode)
    return;
  view.by_code = sets_by_code_.size();
  view.stride = stride;
  sets_by_code_.resize(sets_by_code_.size() + size, std::byte{0xff});
  std::byte* const first = sets_by_code_.data() + view.by_code;
  for (std::uint32_t i = 0; i < view.n; ++i) {
    const std::uint32_t begin = segment.begins[view.first + i], end = segment.ends[view.first + i];
    for (std::uint32_t word = begin; word < end; ++word) {
      for (std::uint32_t bits = forest.bitset_words[word]; bits != 0; bits &= bits - 1) {
        const std::uint32_t code = (word - begin) * 32 + static_cast<std::uint32_t>(std::countr_zero(bits));
        if (code >= view.n_codes) break;  // no row has it
        first[code * stride + i / 8] &= ~(std::byte{1} << i % 8);
      }
    }
  }
}

// How the predicates of a view, counted over the forest, follow from its column's planes.
SlicedForest::ViewPredicates SlicedForest::of_view(const ForestArrays& forest, const PlaneEncoder& encoder,
                                                   std::uint32_t view) {
  constexpr std::uint32_t kAll = 1u << 16;
  const std::uint32_t column = forest.view_columns[view];
  const ColumnPlanes planes = encoder.planes_of(column);
  ViewPredicates made{0, 0, planes.first, planes.count, kNoPlane, 0, 0, kNotByCode, 0};
  switch (static_cast<ViewKind>(forest.view_kinds[view])) {
    case ViewKind::none: {  // the rank of 0
      const auto first = forest.thresholds.begin() + forest.threshold_offsets[column];
      const auto last = forest.thresholds.begin() + forest.threshold_offsets[column + 1];
      made.missing = planes.nan;
      made.held_below = static_cast<std::uint32_t>(std::lower_bound(first, last, 0.0) - first);
      break;
    }
    case ViewKind::nan_left:  // as the rank 0 of a NaN says
      break;
    case ViewKind::nan_right:
      made.missing = planes.nan;
      made.held_below = kAll;
      break;
    case ViewKind::zero_left:
      made.missing = planes.zero;
      break;
    case ViewKind::zero_right:
      made.missing = planes.zero;
      made.held_below = kAll;
      break;
    default:  // a view of sets
      for (std::uint32_t key = forest.key_offsets[column]; key < forest.key_offsets[column + 1]; ++key)
        made.n_codes = std::max<std::uint32_t>(made.n_codes, forest.key_codes[key] + 1u);
      made.n_codes += 2;  // missing and unknown
  }
  return made;
}

// Leaves in the order of their codes, and where a leaf is one number the tables of these.
void SlicedForest::add_values(const ForestArrays& forest, const BitsliceArrays& sliced) {
  const bool oblivious = has(forest, Flag::oblivious), floats = has(forest, Flag::float32);
  const bool scalar = header(forest, Header::leaf_width) == 1;
  const bool halves = active_kernels().blocks.wide.halves && !floats;
  const std::size_t n_trees = forest.tree_roots.size() - 1;
  std::size_t bytes = 0;
  for (std::size_t t = 0; t < n_trees; ++t) {
    const std::uint32_t n_planes = sliced.plane_offsets[t + 1] - sliced.plane_offsets[t];
    trees_.push_back({sliced.logic_offsets[t], sliced.logic_offsets[t + 1] - sliced.logic_offsets[t],
                      sliced.plane_offsets[t], n_planes, forest.tree_outputs[t], leaves_.size(), bytes});
    const std::uint32_t first = forest.tree_leaves[t], last = forest.tree_leaves[t + 1];
    for (std::uint32_t code = 0; code < 1u << n_planes; ++code) {
      // Codes beyond the leaves are never reached.
      const std::uint32_t place = std::min(first + code, last - 1);
      leaves_.push_back(oblivious ? place : first + sliced.code_leaves[place]);
    }
    if (scalar)
      bytes += (std::size_t{1} << std::max(n_planes, 4u)) * (floats ? sizeof(float) : sizeof(double));
  }
  values_ = AlignedBuffer<std::byte>::zeroed(bytes);
  if (!scalar) return;
  for (const SlicedTree& tree : trees_) {
    const std::size_t size = std::size_t{1} << std::max(tree.n_planes, 4u);
    std::byte* const table = values_.data() + tree.values;
    for (std::size_t code = 0; code < std::size_t{1} << tree.n_planes; ++code) {
      const double value = forest.leaf_values[leaves_[tree.first_code + code]];
      if (floats) {
        const auto number = static_cast<float>(value);
        std::memcpy(table + code * sizeof number, &number, sizeof number);
      } else if (halves && tree.n_planes <= kMaxPlanesInRegisters) {
        const auto bits = std::bit_cast<std::uint64_t>(value);
        const auto low = static_cast<std::uint32_t>(bits), high = static_cast<std::uint32_t>(bits >> 32);
        std::memcpy(table + code * sizeof low, &low, sizeof low);
        std::memcpy(table + (size + code) * sizeof high, &high, sizeof high);
      } else {
        std::memcpy(table + code * sizeof value, &value, sizeof value);
      }
    }
  }
}

std::size_t SlicedForest::scratch_bytes(std::size_t n) const noexcept {
  const std::size_t vector = vector_bytes_for(n);
  return aligned(n_memory_ * vector) + aligned(n_column_planes_ * vector) +
         vector * 8 * n_outputs_ * sizeof(double);
}

SlicedForest::Block SlicedForest::make_block(std::size_t n, std::byte* scratch) const noexcept {
  const BlockKernels& kernels = active_kernels().blocks;
  const std::size_t vector = vector_bytes_for(n);
  std::byte* const planes = scratch + aligned(n_memory_ * vector);
  return {vector, vector == kWideVectorBytes ? &kernels.wide : &kernels.narrow, scratch, planes,
          planes + aligned(n_column_planes_ * vector)};
}

void SlicedForest::find_predicates(const Segment& segment, const Block& block) const noexcept {
  const auto vector = [&](std::uint32_t index) { return block.planes + index * block.vector_bytes; };
  for (const ViewPredicates& view : segment.views) {
    const RankPlanes planes{vector(view.first_plane), view.n_planes};
    std::byte* const out = block.memory + view.first * block.vector_bytes;
    if (view.n_codes == 0) {
      const std::byte* const missing = view.missing == kNoPlane ? nullptr : vector(view.missing);
      block.kernels->ranks_above(
          {planes, missing, view.held_below, segment.above.data() + view.first, view.n, out});
    } else if (view.by_code != kNotByCode) {
      std::array<const std::byte*, 16> of_codes;
      for (std::uint32_t i = 0; i < view.n_planes; ++i) of_codes[i] = vector(view.first_plane + i);
      std::uint16_t codes[kMaxSlicedRows];
      block.kernels->codes(of_codes.data(), view.n_planes, codes);
      block.kernels->outside_sets_by_code(
          {sets_by_code_.data() + view.by_code, view.stride, codes, view.n, out});
    } else {
      block.kernels->outside_sets({planes, view.n_codes, bitset_words_.data(),
                                   segment.begins.data() + view.first, segment.ends.data() + view.first,
                                   view.n, out});
    }
  }
}

SlicedForest::Planes SlicedForest::run(const Segment& segment, std::uint32_t tree,
                                       const Block& block) const noexcept {
  const SlicedTree& sliced = trees_[tree];
  const bool wide = block.vector_bytes == kWideVectorBytes;
  const LogicJit& compiled = wide ? segment.wide : segment.narrow;
  if (compiled.available()) {
    compiled.run(tree - segment.first_tree, block.memory);
  } else {
    const LogicKernels& logic = active_kernels().logic;
    (wide ? logic.run_wide : logic.run_narrow)(logic_.data() + sliced.logic, sliced.n_logic, block.memory);
  }
  Planes planes = {};
  for (std::size_t i = 0; i < sliced.n_planes; ++i)
    planes[i] = block.memory + std::size_t{planes_[sliced.first_plane + i]} * block.vector_bytes;
  return planes;
}

template <class Sum>
void SlicedForest::add(std::size_t segment, std::uint32_t first, std::uint32_t last, std::size_t n, Sum* sums,
                       std::byte* scratch) const noexcept {
  const Block block = make_block(n, scratch);
  constexpr bool doubles = std::is_same_v<Sum, double>;
  const BitsliceKernels& kernels = *block.kernels;
  const auto place = [&](std::size_t row) {
    return doubles ? row / 16 * 16 + kernels.places_of_doubles[row % 16] : row;
  };
  const std::size_t rows = block.vector_bytes * 8;
  Sum* const columns = reinterpret_cast<Sum*>(block.sums);  // n_outputs x rows
  std::fill_n(columns, rows * n_outputs_, Sum{0});
  for (std::size_t row = 0; row < n; ++row) {
    for (std::size_t i = 0; i < n_outputs_; ++i) columns[i * rows + place(row)] = sums[row * n_outputs_ + i];
  }
  for (std::uint32_t t = first; t < last; ++t) {
    const SlicedTree& tree = trees_[t];
    const Planes planes = run(segments_[segment], t, block);
    const LeafTable leaves{planes.data(), tree.n_planes, values_.data() + tree.values};
    Sum* const column = columns + tree.output * rows;
    if constexpr (doubles) {
      kernels.add_doubles(leaves, column);
    } else {
      kernels.add_floats(leaves, column);
    }
  }
  for (std::size_t row = 0; row < n; ++row) {
    for (std::size_t i = 0; i < n_outputs_; ++i) sums[row * n_outputs_ + i] = columns[i * rows + place(row)];
  }
}

template void SlicedForest::add<float>(std::size_t, std::uint32_t, std::uint32_t, std::size_t, float*,
                                       std::byte*) const noexcept;
template void SlicedForest::add<double>(std::size_t, std::uint32_t, std::uint32_t, std::size_t, double*,
                                        std::byte*) const noexcept;

}  // namespace shortlist::trees
