// A forest of decision trees in compiled form, which scores exactly as the library that trained it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "trees/bitslice/sliced_forest.hpp"
#include "trees/forest_arrays.hpp"
#include "trees/kernel_choice.hpp"
#include "trees/kernel_costs.hpp"
#include "trees/lookup/lookup_forest.hpp"
#include "trees/node.hpp"
#include "trees/quantise.hpp"
#include "trees/rows.hpp"
#include "trees/sinks.hpp"
#include "trees/transform.hpp"
#include "trees/walk.hpp"

namespace shortlist {
class TensorFile;
}

namespace shortlist::trees {

// Boosting rounds [first, last).
struct Rounds {
  std::uint32_t first;
  std::uint32_t last;
};

class Forest {
 public:
  // Copies the arrays after checking every count and index; throws invalid_format naming array and tree, or
  // unsupported for a newer format. Any bytes that pass are safe to walk.
  // costs: as KernelCosts has them in JSON, or empty; those of another machine are not used.
  explicit Forest(const ForestArrays& arrays, const BitsliceArrays& sliced = {}, std::string_view costs = {});
  // Reads format 1 too.
  [[nodiscard]] static Forest load(const TensorFile& file);

  [[nodiscard]] std::size_t n_features() const noexcept { return n_features_; }
  [[nodiscard]] std::size_t n_outputs() const noexcept { return n_outputs_; }
  [[nodiscard]] std::size_t n_trees() const noexcept { return trees_.size(); }
  [[nodiscard]] std::uint32_t n_rounds() const noexcept;
  [[nodiscard]] Rounds default_rounds() const noexcept { return {0, default_rounds_}; }
  // What an entry that a sparse row lacks stands for: 0 or NaN.
  [[nodiscard]] double absent() const noexcept { return absent_; }
  // Some features are derived from others, which takes dense rows.
  [[nodiscard]] bool derives_features() const noexcept { return ctrs_.size() != 0; }
  [[nodiscard]] bool is_float32() const noexcept { return float32_; }
  // What the rounds have; they are within n_rounds().
  [[nodiscard]] std::size_t n_trees(Rounds rounds) const noexcept;

  // Scores made-up rows by every kernel, and from then on uses what costs least. None where a kernel is
  // forced or rows are too long. The arrays that the forest was made of. Not while another thread scores.
  std::optional<KernelCosts> measure(const ForestArrays& arrays);
  // Which kernel serves how many rows, and why: a line for people.
  [[nodiscard]] std::string kernels() const;

  // What predict() and leaf_indices() need for n rows; does not grow beyond one block of rows.
  [[nodiscard]] std::size_t scratch_bytes(std::size_t n) const noexcept;

  // out: n x n_outputs, float or double. raw: without the transform. scratch: scratch_bytes(n) bytes, aligned
  // to kAlignment. Rows: DenseRows or SparseRows of float or double.
  template <class Rows, class Out>
  void predict(const Rows& rows, std::size_t n, Rounds rounds, bool raw, Out* out,
               std::byte* scratch) const noexcept;

  // The leaf that each row reaches, as the training library numbers them: out is n x n_trees(rounds).
  template <class Rows>
  void leaf_indices(const Rows& rows, std::size_t n, Rounds rounds, std::uint32_t* out,
                    std::byte* scratch) const noexcept;

 private:
  struct Segment {
    Quantiser quantiser;
    std::uint32_t first_tree, last_tree;
  };

  struct Parts {  // of the caller's scratch
    std::uint16_t* ranks;
    float* derived;   // block_rows x ctrs_.size()
    std::byte* sums;  // block_rows x n_outputs, of the width that sums have
    double* transformed;
    std::byte* own;  // of the kernel
  };
  [[nodiscard]] Parts parts(std::byte* scratch, std::size_t n) const noexcept;
  // How many of n rows the next block takes.
  [[nodiscard]] std::size_t next_block(std::size_t n) const noexcept;
  [[nodiscard]] std::size_t rows_of_scratch(std::size_t n) const noexcept;
  [[nodiscard]] TreeKernel kernel_for(std::size_t n) const noexcept;
  void choose_kernels(const ForestArrays& arrays, const BitsliceArrays& sliced, std::string_view costs);
  void use(const KernelCosts& costs);
  [[nodiscard]] KernelForms forms() const noexcept { return {!lookup_.empty(), !sliced_.empty()}; }
  void copy_ctrs(const CtrArrays& arrays);
  void copy_nodes(const ForestArrays& arrays);
  void copy_leaves(const ForestArrays& arrays);
  // Quantises rows for each segment within the rounds, then calls visit(segment, walk arrays).
  template <class Rows, class Visit>
  void each_segment(const Rows& rows, std::size_t n, Rounds rounds, const Parts& scratch,
                    const Visit& visit) const noexcept;
  template <class Sink>
  void each_leaf(std::size_t segment, const WalkArrays& arrays, const Parts& scratch, std::size_t n,
                 const Sink& sink) const noexcept;
  struct Range {
    std::uint32_t first, last;
  };
  [[nodiscard]] Range range_of(std::span<const Tree> trees) const noexcept;
  [[nodiscard]] LeafNumbers leaf_numbers(std::size_t n) const noexcept;
  template <class Sum, class Rows>
  void add_trees(const Rows& rows, std::size_t n, Rounds rounds, const Parts& scratch,
                 Sum* sums) const noexcept;
  template <class Sum, class Rows>
  void score(const Rows& rows, std::size_t n, Rounds rounds, bool raw, const Parts& scratch,
             Sum* sums) const noexcept;
  template <class Sum, class Rows>
  void add_linear_model(const Rows& rows, std::size_t n, Sum* sums) const noexcept;
  template <class Sum>
  [[nodiscard]] const Sum* leaf_values() const noexcept;

  std::size_t n_features_ = 0;
  std::size_t n_outputs_ = 0;
  std::size_t leaf_width_ = 1;
  std::size_t max_views_ = 0;
  std::size_t block_rows_ = 0;  // rows quantised and walked at a time, a multiple of kGroupRows
  Transform transform_ = Transform::identity;
  Aggregate aggregate_ = Aggregate::sum;
  bool float32_ = false, average_ = false, average_raw_ = false, oblivious_ = false;
  bool bias_of_first_round_ = false, has_bias_ = false, has_linear_leaves_ = false;
  std::uint32_t default_rounds_ = 0;
  double transform_scale_ = 1.0, sum_scale_ = 1.0, absent_ = 0.0;
  std::vector<double> base_, bias_;

  std::vector<Tree> trees_;
  std::vector<Segment> segments_;
  std::vector<std::uint32_t> round_trees_;
  AlignedBuffer<Node> nodes_;
  std::vector<std::uint32_t> bitset_offsets_, bitset_words_;
  // One of the two: by node where a leaf of a binary tree is one plain number to add, else n_leaves x
  // leaf_width.
  AlignedBuffer<double> values64_;
  AlignedBuffer<float> values32_;
  std::vector<std::uint32_t> leaf_of_node_;  // empty in oblivious forests
  std::vector<std::uint32_t> leaf_ids_;
  std::vector<double> linear_constants_, linear_coefficients_;
  std::vector<std::uint32_t> linear_offsets_, linear_features_;
  std::vector<float> weights_;
  SlicedForest sliced_;
  LookupForest lookup_;
  KernelUse use_;
  std::string why_;
  Ctrs ctrs_;
  AlignedBuffer<std::byte> ctr_bytes_;  // what ctrs_ refers to
};

}  // namespace shortlist::trees
