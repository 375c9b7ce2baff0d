// Scores blocks of rows with the bit-sliced form: predicates of all rows at once, then tree after tree.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "kernels/bitslice.hpp"
#include "trees/bitslice/arrays.hpp"
#include "trees/bitslice/jit.hpp"
#include "trees/bitslice/planes.hpp"
#include "trees/forest_arrays.hpp"

namespace shortlist::trees {

inline constexpr std::size_t kMaxSlicedRows = 8 * kWideVectorBytes;

class SlicedForest {
 public:
  SlicedForest() = default;
  // Empty where the arrays are, or where a block would take too much memory. The arrays have passed
  // check_forest() and check_bitslice().
  SlicedForest(const ForestArrays& forest, const BitsliceArrays& sliced);

  [[nodiscard]] bool empty() const noexcept { return segments_.empty(); }
  // For one block of n rows, 64-byte aligned.
  [[nodiscard]] std::size_t scratch_bytes(std::size_t n) const noexcept;

  // What a segment's programs read, of n rows, at most kMaxSlicedRows. To be called before the two below with
  // the same segment, n and scratch. derived: as PlaneEncoder takes it.
  template <class T>
  void read(std::size_t segment, const DenseRows<T>& rows, const DenseRows<float>& derived, std::size_t n,
            std::byte* scratch) const noexcept {
    const Block block = make_block(n, scratch);
    segments_[segment].encoder.encode(rows, derived, n, block.vector_bytes, block.planes);
    find_predicates(segments_[segment], block);
  }
  template <class T>
  void read(std::size_t segment, const SparseRows<T>& rows, std::size_t n,
            std::byte* scratch) const noexcept {
    const Block block = make_block(n, scratch);
    segments_[segment].encoder.encode(rows, n, block.vector_bytes, block.planes);
    find_predicates(segments_[segment], block);
  }

  // Adds the leaves of trees [first, last), all of one segment, to sums: n x n_outputs, tree after tree. Only
  // where leaves are single numbers that are added up; Sum is float where the forest sums in float32, else
  // double.
  template <class Sum>
  void add(std::size_t segment, std::uint32_t first, std::uint32_t last, std::size_t n, Sum* sums,
           std::byte* scratch) const noexcept;

  // Calls visit(tree, row, leaf) for each row and each of these trees, leaves counted over the forest.
  template <class Visit>
  void each_leaf(std::size_t segment, std::uint32_t first, std::uint32_t last, std::size_t n,
                 std::byte* scratch, const Visit& visit) const noexcept {
    const Block block = make_block(n, scratch);
    std::uint16_t codes[kMaxSlicedRows];
    for (std::uint32_t tree = first; tree < last; ++tree) {
      const Planes planes = run(segments_[segment], tree, block);
      block.kernels->codes(planes.data(), trees_[tree].n_planes, codes);
      const std::uint32_t* const leaves = leaves_.data() + trees_[tree].first_code;
      for (std::size_t row = 0; row < n; ++row) visit(tree, row, std::size_t{leaves[codes[row]]});
    }
  }

 private:
  // Predicates of one view, one after another.
  struct ViewPredicates {
    std::uint32_t first, n;
    std::uint32_t first_plane, n_planes;
    std::uint32_t missing;     // vector of the mask, or kNoPlane
    std::uint32_t held_below;  // RankPredicates
    std::uint32_t n_codes;     // of a view of sets, else 0
    std::size_t by_code;       // where SetRows begins in sets_by_code_, or kNotByCode
    std::size_t stride;
  };
  struct Segment {
    std::size_t n_predicates;
    PlaneEncoder encoder;
    std::vector<ViewPredicates> views;
    std::vector<std::uint16_t> above;         // by predicate: the rank
    std::vector<std::uint32_t> begins, ends;  // by predicate: the set's words
    std::uint32_t first_tree;
    LogicJit narrow, wide;
  };
  struct SlicedTree {
    std::uint32_t logic, n_logic;
    std::uint32_t first_plane, n_planes;
    std::uint32_t output;
    std::size_t first_code;  // in leaves_
    std::size_t values;      // byte of values_
  };
  struct Block {
    std::size_t vector_bytes;
    const BitsliceKernels* kernels;
    std::byte* memory;  // of the programs
    std::byte* planes;
    std::byte* sums;
  };
  static constexpr std::size_t kNotByCode = std::size_t(-1);
  using Planes = std::array<const std::byte*, kMaxCodePlanes>;

  [[nodiscard]] Block make_block(std::size_t n, std::byte* scratch) const noexcept;
  [[nodiscard]] static ViewPredicates of_view(const ForestArrays& forest, const PlaneEncoder& encoder,
                                              std::uint32_t view);
  void add_segment(const ForestArrays& forest, const BitsliceArrays& sliced, std::size_t segment);
  void compile(const ForestArrays& forest, const BitsliceArrays& sliced);
  void add_sets_by_code(const ForestArrays& forest, const Segment& segment, ViewPredicates& view);
  void add_values(const ForestArrays& forest, const BitsliceArrays& sliced);
  void find_predicates(const Segment& segment, const Block& block) const noexcept;
  [[nodiscard]] Planes run(const Segment& segment, std::uint32_t tree, const Block& block) const noexcept;

  std::vector<Segment> segments_;
  std::vector<SlicedTree> trees_;
  std::vector<LogicInstruction> logic_;  // where they are interpreted
  std::vector<std::uint32_t> planes_;    // by tree and plane: the vector
  std::vector<std::uint32_t> leaves_;    // by tree and code: the leaf, counted over the forest
  std::vector<std::uint32_t> bitset_words_;
  std::vector<std::byte> sets_by_code_;
  AlignedBuffer<std::byte> values_;  // tables of LeafTable
  std::size_t n_memory_ = 0, n_column_planes_ = 0, n_outputs_ = 1;
};

}  // namespace shortlist::trees
