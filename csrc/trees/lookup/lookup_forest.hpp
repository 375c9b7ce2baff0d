// Scores a few rows with trees in blocks that one look-up decides: a row against whole trees.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "kernels/kernels.hpp"
#include "trees/forest_arrays.hpp"
#include "trees/lookup/row_encoder.hpp"
#include "trees/lookup/tree_cutter.hpp"
#include "trees/rows.hpp"

namespace shortlist::trees {

inline constexpr std::size_t kMaxLookupRows = 64;

class LookupForest {
 public:
  // None: empty.
  LookupForest() = default;
  // Empty where the trees do not fit this form: rows of too many bytes, oblivious trees that are too deep,
  // sets of too many categories. The arrays have passed check_forest().
  explicit LookupForest(const ForestArrays& forest);

  [[nodiscard]] bool empty() const noexcept { return segments_.empty(); }
  [[nodiscard]] static std::size_t scratch_bytes(std::size_t n) noexcept { return n * sizeof(EncodedRow); }

  // What the segment's trees compare, of n rows, at most kMaxLookupRows. To be called before the two below
  // with the same segment, n and scratch.
  template <class T>
  void read(std::size_t segment, const DenseRows<T>& rows, const DenseRows<float>& derived, std::size_t n,
            std::byte* scratch) const noexcept {
    EncodedRow* const encoded = reinterpret_cast<EncodedRow*>(scratch);
    for (std::size_t row = 0; row < n; ++row)
      segments_[segment].encoder.encode(rows, derived, row, encoded[row]);
  }
  template <class T>
  void read(std::size_t segment, const SparseRows<T>& rows, std::size_t n,
            std::byte* scratch) const noexcept {
    EncodedRow* const encoded = reinterpret_cast<EncodedRow*>(scratch);
    for (std::size_t row = 0; row < n; ++row) segments_[segment].encoder.encode(rows, row, encoded[row]);
  }

  // Adds the leaves of trees [first, last), all of one segment, to sums: n x n_outputs, tree after tree. Only
  // where leaves are single numbers that are added up; Sum is float where the forest sums in float32, else
  // double.
  template <class Sum>
  void add(std::size_t segment, std::uint32_t first, std::uint32_t last, std::size_t n, Sum* sums,
           const std::byte* scratch) const noexcept;

  // Calls visit(tree, row, leaf) for each row and each of these trees, a row's trees in order; leaves are
  // counted over the forest.
  template <class Visit>
  void each_leaf(std::size_t segment, std::uint32_t first, std::uint32_t last, std::size_t n,
                 const std::byte* scratch, const Visit& visit) const noexcept {
    each_chunk(segment, first, last, n, scratch, [&](std::size_t row, const Chunk& chunk) {
      for (std::uint32_t i = 0; i < chunk.n; ++i)
        visit(chunk.first + i, row, std::size_t{leaf_of_place_[chunk.places[i]]});
    });
  }

 private:
  struct Segment {
    Segment(const ForestArrays& forest, std::size_t segment)
        : encoder(forest, segment),
          first_tree(forest.segment_trees[segment]),
          last_tree(forest.segment_trees[segment + 1]) {}

    RowEncoder encoder;
    std::uint32_t first_tree, last_tree;
    std::vector<TreeBlock> blocks;
    std::vector<BlockExits> exits;
    std::vector<std::uint32_t> children;
    BlockShape shape = {};
    bool cut = false;                // some tree has more than one block
    std::vector<LevelBlock> levels;  // of oblivious trees, which have no blocks
    std::uint32_t n_levels = 0;
    // For each set and code a mask of each block or level.
    std::vector<std::uint64_t> masks;
    std::vector<std::size_t> first_mask;  // by set
    std::size_t n_masks = 0;              // by code
  };
  // The places of a row's leaves in some trees.
  struct Chunk {
    std::uint32_t first, n;
    const std::uint32_t* places;
  };
  static constexpr std::uint32_t kChunkTrees = 64;

  using SetNodes = std::vector<SetNode>;
  [[nodiscard]] bool add_segment(const ForestArrays& forest, std::size_t segment);
  [[nodiscard]] SetNodes add_binary(const ForestArrays& forest, std::size_t segment, Segment& made);
  [[nodiscard]] SetNodes add_oblivious(const ForestArrays& forest, std::size_t segment, Segment& made);
  static void add_masks(const ForestArrays& forest, const SetNodes& nodes, Segment& made);
  void add_values(const ForestArrays& forest);
  [[nodiscard]] LookupRow row_of(const Segment& segment, const EncodedRow& row,
                                 const std::uint64_t** outside) const noexcept;
  // Where a row ends up in trees [first, first + n), at most kChunkTrees.
  void find_places(const Segment& segment, const LookupRow& row, std::uint32_t first, std::uint32_t n,
                   std::uint32_t* places) const noexcept;
  void find_places_of_codes(const Segment& segment, const LookupRow& row, std::uint32_t first,
                            std::uint32_t n, std::uint32_t* places) const noexcept;
  void follow(const Segment& segment, const LookupRow& row, std::uint32_t first, std::uint32_t n,
              const std::uint8_t* exits, std::uint32_t* places) const noexcept;
  template <class Visit>
  void each_chunk(std::size_t segment, std::uint32_t first, std::uint32_t last, std::size_t n,
                  const std::byte* scratch, const Visit& visit) const noexcept {
    const Segment& of = segments_[segment];
    const EncodedRow* const rows = reinterpret_cast<const EncodedRow*>(scratch);
    std::uint32_t places[kChunkTrees];
    const std::uint64_t* outside[kMaxRowSets];
    // Chunks begin where the segment's do, so that a range begins within one.
    for (std::uint32_t tree = first; tree < last;) {
      const std::uint32_t end =
          std::min(last, of.first_tree + ((tree - of.first_tree) / kChunkTrees + 1) * kChunkTrees);
      for (std::size_t row = 0; row < n; ++row) {
        find_places(of, row_of(of, rows[row], outside), tree, end - tree, places);
        visit(row, Chunk{tree, end - tree, places});
      }
      tree = end;
    }
  }

  template <class Sum>
  [[nodiscard]] const Sum* values() const noexcept;

  const LookupKernels* kernels_ = nullptr;
  std::size_t n_outputs_ = 1;
  std::vector<Segment> segments_;
  std::vector<std::uint32_t> leaf_of_place_;
  std::vector<std::uint32_t> first_leaf_;  // by tree
  std::vector<std::uint32_t> outputs_;     // by tree
  AlignedBuffer<double> values64_;         // by place
  AlignedBuffer<float> values32_;
};

}  // namespace shortlist::trees
