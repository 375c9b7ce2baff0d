#include "trees/forest.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "base/thread_pool.hpp"
#include "trees/bitslice/check.hpp"
#include "trees/check.hpp"

namespace shortlist::trees {
namespace {

// A block's ranks and sums stay near the first cache beside the tree at hand.
constexpr std::size_t kBlockBytes = std::size_t{48} << 10;
constexpr std::size_t kMaxBlockRows = 512;
constexpr std::size_t kNarrowBlockRows = 8 * kNarrowVectorBytes;
constexpr std::size_t kMinNodesPerThread = std::size_t{1} << 16;  // smaller forests load on one

std::size_t rows_of_block(std::size_t n_views, std::size_t n_outputs, std::size_t n_derived) {
  const std::size_t row_bytes =
      n_views * sizeof(std::uint16_t) + n_outputs * sizeof(double) + n_derived * sizeof(float);
  const std::size_t rows = std::clamp(kBlockBytes / row_bytes, kGroupRows, kMaxBlockRows);
  return rows / kGroupRows * kGroupRows;
}

std::size_t aligned(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

std::size_t whole_groups(std::size_t rows) { return (rows + kGroupRows - 1) / kGroupRows * kGroupRows; }

std::uint32_t header(const ForestArrays& arrays, Header entry) {
  return arrays.header[static_cast<std::size_t>(entry)];
}

bool has(const ForestArrays& arrays, Flag flag) {
  return (header(arrays, Header::flags) & static_cast<std::uint32_t>(flag)) != 0;
}

template <class T>
std::vector<T> copied(std::span<const T> values) {
  return {values.begin(), values.end()};
}

}  // namespace

Forest::Forest(const ForestArrays& arrays, const BitsliceArrays& sliced, std::string_view costs)
    : trees_(check_forest(arrays)) {
  n_features_ = header(arrays, Header::n_features);
  n_outputs_ = header(arrays, Header::n_outputs);
  leaf_width_ = header(arrays, Header::leaf_width);
  transform_ = static_cast<Transform>(header(arrays, Header::transform));
  aggregate_ = static_cast<Aggregate>(header(arrays, Header::aggregate));
  default_rounds_ = header(arrays, Header::default_rounds);
  float32_ = has(arrays, Flag::float32);
  average_ = has(arrays, Flag::average);
  average_raw_ = has(arrays, Flag::average_raw);
  oblivious_ = has(arrays, Flag::oblivious);
  bias_of_first_round_ = has(arrays, Flag::bias_of_first_round);
  transform_scale_ = arrays.scales[0];
  sum_scale_ = arrays.scales[1];
  absent_ = arrays.scales[2];
  base_ = copied(arrays.base);
  bias_ = copied(arrays.bias);
  has_bias_ = std::any_of(bias_.begin(), bias_.end(), [](double bias) { return bias != 0.0; });
  round_trees_ = copied(arrays.round_trees);

  for (std::size_t s = 0; s + 1 < arrays.segment_views.size(); ++s) {
    segments_.push_back({Quantiser(arrays, s), arrays.segment_trees[s], arrays.segment_trees[s + 1]});
    max_views_ = std::max(max_views_, segments_.back().quantiser.n_views());
  }
  copy_ctrs(arrays.ctrs);
  block_rows_ = rows_of_block(max_views_, n_outputs_, ctrs_.size());
  copy_nodes(arrays);
  copy_leaves(arrays);

  linear_constants_ = copied(arrays.linear_constants);
  linear_offsets_ = copied(arrays.linear_offsets);
  linear_features_ = copied(arrays.linear_features);
  linear_coefficients_ = copied(arrays.linear_coefficients);
  has_linear_leaves_ = !linear_constants_.empty();
  weights_ = copied(arrays.weights);
  choose_kernels(arrays, sliced, costs);
}

void Forest::choose_kernels(const ForestArrays& arrays, const BitsliceArrays& sliced,
                            std::string_view costs) {
  const std::optional<TreeKernel> forced = forced_tree_kernel();
  const bool slices = forced ? forced == TreeKernel::bitslice : true;
  const bool looks_up = forced ? forced == TreeKernel::lookup : active_kernels().lookup.in_registers;
  const std::size_t n_threads = arrays.nodes.size() < kMinNodesPerThread ? 1 : 2;
  parallel_for(2, n_threads, [&](std::size_t form) {
    if (form == 0) check_bitslice(arrays, sliced);
    if (form == 0 && slices) sliced_ = SlicedForest(arrays, sliced);
    if (form == 1 && looks_up) lookup_ = LookupForest(arrays);
  });
  const std::string machine = machine_of_kernels();
  use_ = usual_use(forms());
  why_ = "usual on " + machine + ", where it was not measured";
  if (!costs.empty()) {
    const KernelCosts read = kernel_costs_of(costs);
    if (read.machine == machine) use(read);
  }
  if (forced) {
    use_ = {!lookup_.empty(), sliced_.empty() ? std::numeric_limits<std::size_t>::max() : 1};
    why_ = "forced by SHORTLIST_TREE_KERNEL";
  }
}

void Forest::use(const KernelCosts& costs) {
  use_ = use_of(costs, forms());
  why_ = "measured on " + costs.machine + ": " + text_of(costs);
}

std::string Forest::kernels() const {
  const std::string few = use_.looks_up ? "lookup" : "walk";
  std::string text = few;
  if (use_.bitslice_from == 1) {
    text = "bitslice";
  } else if (!sliced_.empty()) {
    text += " up to " + std::to_string(use_.bitslice_from - 1) + " rows, then bitslice";
  }
  return text + " (" + why_ + ")";
}

void Forest::copy_ctrs(const CtrArrays& arrays) {
  if (arrays.defaults.empty()) return;
  std::size_t size = 0;
  for_each_ctr_tensor(arrays, [&](const char*, const auto& values) { size += aligned(values.size_bytes()); });
  ctr_bytes_ = AlignedBuffer<std::byte>(size);
  CtrArrays copy = arrays;
  std::byte* to = ctr_bytes_.data();
  for_each_ctr_tensor(copy, [&]<class T>(const char*, std::span<const T>& values) {
    T* const first = reinterpret_cast<T*>(to);
    std::copy(values.begin(), values.end(), first);
    to += aligned(values.size_bytes());
    values = {first, values.size()};
  });
  ctrs_ = Ctrs(copy, n_features_);
}

void Forest::copy_nodes(const ForestArrays& arrays) {
  nodes_ = AlignedBuffer<Node>(arrays.nodes.size());
  for (std::size_t s = 0; s + 1 < arrays.segment_views.size(); ++s) {
    const std::uint32_t first_view = arrays.segment_views[s];
    const std::size_t begin = arrays.tree_roots[arrays.segment_trees[s]];
    const std::size_t end = arrays.tree_roots[arrays.segment_trees[s + 1]];
    for (std::size_t i = begin; i < end; ++i) {
      const std::uint64_t node = arrays.nodes[i];
      const auto view = static_cast<std::uint32_t>(node >> 16 & 0xffff);
      const bool leaf = !oblivious_ && node >> 32 == i;
      const bool set = !leaf && asks_for_set(static_cast<ViewKind>(arrays.view_kinds[first_view + view]));
      nodes_[i] = {static_cast<std::uint16_t>(node), static_cast<std::uint16_t>(2 * view + (set ? 1 : 0)),
                   static_cast<std::uint32_t>(node >> 32)};
    }
  }
  // The general walk reads the tree's first bitset and its first word whether or not there are any.
  bitset_offsets_ = copied(arrays.bitset_offsets);
  bitset_offsets_.push_back(bitset_offsets_.back());
  bitset_words_ = copied(arrays.bitset_words);
  bitset_words_.push_back(0);
}

void Forest::copy_leaves(const ForestArrays& arrays) {
  leaf_ids_ = copied(arrays.leaf_ids);
  const bool by_node =
      !oblivious_ && leaf_width_ == 1 && aggregate_ == Aggregate::sum && arrays.linear_constants.empty();
  const std::size_t size = by_node ? arrays.nodes.size() : arrays.leaf_values.size();
  if (float32_) {
    values32_ = AlignedBuffer<float>::zeroed(size);
  } else {
    values64_ = AlignedBuffer<double>::zeroed(size);
  }
  const auto store = [this](std::size_t at, double value) {
    if (float32_) {
      values32_[at] = static_cast<float>(value);
    } else {
      values64_[at] = value;
    }
  };
  if (!by_node) {
    for (std::size_t i = 0; i < size; ++i) store(i, arrays.leaf_values[i]);
  }
  if (oblivious_) return;
  leaf_of_node_.resize(arrays.nodes.size());
  std::uint32_t leaf = 0;
  for (std::size_t i = 0; i < arrays.nodes.size(); ++i) {
    leaf_of_node_[i] = leaf;
    if (arrays.nodes[i] >> 32 != i) continue;
    if (by_node) store(i, arrays.leaf_values[leaf]);
    ++leaf;
  }
}

std::uint32_t Forest::n_rounds() const noexcept {
  return static_cast<std::uint32_t>(round_trees_.size() - 1);
}

std::size_t Forest::n_trees(Rounds rounds) const noexcept {
  return round_trees_[rounds.last] - round_trees_[rounds.first];
}

TreeKernel Forest::kernel_for(std::size_t n) const noexcept {
  if (n >= use_.bitslice_from) return TreeKernel::bitslice;
  return use_.looks_up ? TreeKernel::lookup : TreeKernel::walk;
}

std::size_t Forest::next_block(std::size_t n) const noexcept {
  switch (kernel_for(n)) {
    case TreeKernel::bitslice:
      return std::min(n, n > 2 * kNarrowBlockRows ? kMaxSlicedRows : kNarrowBlockRows);
    case TreeKernel::lookup:
      return std::min(n, kMaxLookupRows);
    default:
      return std::min(n, block_rows_);
  }
}

std::size_t Forest::scratch_bytes(std::size_t n) const noexcept {
  const std::size_t rows = rows_of_scratch(n);
  // The last rows may be few, and another kernel's.
  const std::size_t sliced = kernel_for(n) == TreeKernel::bitslice ? sliced_.scratch_bytes(next_block(n)) : 0;
  const std::size_t looked_up = use_.looks_up ? LookupForest::scratch_bytes(std::min(n, kMaxLookupRows)) : 0;
  return aligned(rows * max_views_ * sizeof(std::uint16_t)) + aligned(rows * ctrs_.size() * sizeof(float)) +
         2 * aligned(rows * n_outputs_ * sizeof(double)) + std::max(sliced, looked_up);
}

std::size_t Forest::rows_of_scratch(std::size_t n) const noexcept {
  const std::size_t most = kernel_for(n) == TreeKernel::bitslice ? kMaxSlicedRows
                           : use_.looks_up                       ? kMaxLookupRows
                                                                 : block_rows_;
  return std::min(whole_groups(n), most);
}

Forest::Parts Forest::parts(std::byte* scratch, std::size_t n) const noexcept {
  const std::size_t rows = rows_of_scratch(n);
  std::byte* const derived = scratch + aligned(rows * max_views_ * sizeof(std::uint16_t));
  std::byte* const sums = derived + aligned(rows * ctrs_.size() * sizeof(float));
  std::byte* const transformed = sums + aligned(rows * n_outputs_ * sizeof(double));
  return {reinterpret_cast<std::uint16_t*>(scratch), reinterpret_cast<float*>(derived), sums,
          reinterpret_cast<double*>(transformed), transformed + aligned(rows * n_outputs_ * sizeof(double))};
}

template <>
const double* Forest::leaf_values<double>() const noexcept {
  return values64_.data();
}
template <>
const float* Forest::leaf_values<float>() const noexcept {
  return values32_.data();
}

template <class Rows, class Visit>
void Forest::each_segment(const Rows& rows, std::size_t n, Rounds rounds, const Parts& scratch,
                          const Visit& visit) const noexcept {
  constexpr bool dense = requires { rows.stride; };
  if constexpr (dense) ctrs_.compute(rows.numbers, n, rows.stride, scratch.derived);
  const std::uint32_t first = round_trees_[rounds.first];
  const std::uint32_t last = round_trees_[rounds.last];
  for (std::size_t s = 0; s < segments_.size(); ++s) {
    const Segment& segment = segments_[s];
    const std::uint32_t begin = std::max(first, segment.first_tree);
    const std::uint32_t end = std::min(last, segment.last_tree);
    if (begin >= end) continue;
    const auto read = [&](const auto&... derived) {
      switch (kernel_for(n)) {
        case TreeKernel::bitslice:
          return sliced_.read(s, rows, derived..., n, scratch.own);
        case TreeKernel::lookup:
          return lookup_.read(s, rows, derived..., n, scratch.own);
        default:
          return segment.quantiser.ranks(rows, derived..., n, scratch.ranks);
      }
    };
    if constexpr (dense) {
      read(DenseRows<float>{scratch.derived, ctrs_.size()});
    } else {
      read();
    }
    visit(s, WalkArrays{std::span(trees_).subspan(begin, end - begin), nodes_.data(), bitset_offsets_.data(),
                        bitset_words_.data(), segment.quantiser.n_views()});
  }
}

template <class Sink>
void Forest::each_leaf(std::size_t segment, const WalkArrays& arrays, const Parts& scratch, std::size_t n,
                       const Sink& sink) const noexcept {
  const TreeKernel kernel = kernel_for(n);
  const Range range = range_of(arrays.trees);
  const auto visit = [&](std::uint32_t tree, std::size_t row, std::size_t leaf) {
    sink(trees_[tree], row, leaf);
  };
  if (kernel == TreeKernel::bitslice) {
    sliced_.each_leaf(segment, range.first, range.last, n, scratch.own, visit);
  } else if (kernel == TreeKernel::lookup) {
    lookup_.each_leaf(segment, range.first, range.last, n, scratch.own, visit);
  } else if (oblivious_) {
    walk_oblivious(arrays, scratch.ranks, n, sink);
  } else {
    walk_binary(arrays, scratch.ranks, n, sink);
  }
}

Forest::Range Forest::range_of(std::span<const Tree> trees) const noexcept {
  const auto first = static_cast<std::uint32_t>(trees.data() - trees_.data());
  return {first, first + static_cast<std::uint32_t>(trees.size())};
}

// Kernels other than the walk of binary trees count in leaves.
LeafNumbers Forest::leaf_numbers(std::size_t n) const noexcept {
  const bool by_leaf = oblivious_ || kernel_for(n) != TreeKernel::walk;
  return {by_leaf ? nullptr : leaf_of_node_.data()};
}

template <class Sum, class Rows>
void Forest::add_trees(const Rows& rows, std::size_t n, Rounds rounds, const Parts& scratch,
                       Sum* sums) const noexcept {
  const LeafNumbers leaf = leaf_numbers(n);
  const Sum* const values = leaf_values<Sum>();
  each_segment(rows, n, rounds, scratch, [&](std::size_t segment, const WalkArrays& arrays) {
    const auto each = [&](const auto& sink) { each_leaf(segment, arrays, scratch, n, sink); };
    if (aggregate_ == Aggregate::min) {
      each(KeepExtreme<Sum, false>{values, leaf_width_, leaf, sums, n_outputs_});
    } else if (aggregate_ == Aggregate::max) {
      each(KeepExtreme<Sum, true>{values, leaf_width_, leaf, sums, n_outputs_});
    } else if (leaf_width_ != 1) {
      each(AddVector<Sum>{values, leaf, sums, n_outputs_});
    } else if (has_linear_leaves_) {
      if constexpr (std::is_same_v<Sum, double>) {
        const LinearTerms terms{linear_constants_.data(), linear_offsets_.data(), linear_features_.data(),
                                linear_coefficients_.data()};
        each(AddLinear<Rows>{values, leaf, terms, rows, sums, n_outputs_});
      }
    } else if (const TreeKernel kernel = kernel_for(n); kernel != TreeKernel::walk) {
      const Range range = range_of(arrays.trees);
      if (kernel == TreeKernel::bitslice) {
        sliced_.add(segment, range.first, range.last, n, sums, scratch.own);
      } else {
        lookup_.add(segment, range.first, range.last, n, sums, scratch.own);
      }
    } else {
      each(AddScalar<Sum>{values, sums, n_outputs_});
    }
  });
}

// In order of the features, those that are NaN, or that a sparse row lacks, left out.
template <class Sum, class Rows>
void Forest::add_linear_model(const Rows& rows, std::size_t n, Sum* sums) const noexcept {
  for (std::size_t row = 0; row < n; ++row) {
    rows.each_entry(row, [&](std::size_t feature, auto number) {
      const auto x = static_cast<Sum>(number);
      if (x != x) return;
      const float* weights = weights_.data() + feature * n_outputs_;
      for (std::size_t i = 0; i < n_outputs_; ++i)
        sums[row * n_outputs_ + i] += x * static_cast<Sum>(weights[i]);
    });
  }
}

template <class Sum, class Rows>
void Forest::score(const Rows& rows, std::size_t n, Rounds rounds, bool raw, const Parts& scratch,
                   Sum* sums) const noexcept {
  const std::size_t size = n * n_outputs_;
  if (aggregate_ == Aggregate::sum) {
    for (std::size_t i = 0; i < size; ++i) sums[i] = static_cast<Sum>(base_[i % n_outputs_]);
  } else {
    const Sum worst = std::numeric_limits<Sum>::infinity();
    std::fill_n(sums, size, aggregate_ == Aggregate::min ? worst : -worst);
  }
  add_trees(rows, n, rounds, scratch, sums);
  if (!weights_.empty()) add_linear_model(rows, n, sums);
  if (aggregate_ != Aggregate::sum) {
    for (std::size_t i = 0; i < size; ++i) sums[i] += static_cast<Sum>(base_[i % n_outputs_]);
  }
  if (average_ && (average_raw_ || !raw)) {
    const auto n_rounds = static_cast<Sum>(rounds.last - rounds.first);
    for (std::size_t i = 0; i < size; ++i) sums[i] /= n_rounds;
  }
  if (sum_scale_ != 1.0) {
    for (std::size_t i = 0; i < size; ++i) sums[i] *= static_cast<Sum>(sum_scale_);
  }
  if (has_bias_ && !(bias_of_first_round_ && rounds.first > 0)) {
    for (std::size_t i = 0; i < size; ++i) sums[i] += static_cast<Sum>(bias_[i % n_outputs_]);
  }
}

template <class Rows, class Out>
void Forest::predict(const Rows& rows, std::size_t n, Rounds rounds, bool raw, Out* out,
                     std::byte* scratch) const noexcept {
  const Parts part = parts(scratch, n);
  const bool transforms = !raw && transform_ != Transform::identity;
  std::size_t count = 0;
  for (std::size_t first = 0; first < n; first += count) {
    count = next_block(n - first);
    const std::size_t size = count * n_outputs_;
    Out* const block_out = out + first * n_outputs_;
    const auto finish = [&]<class Sum>(Sum* sums) {
      score<Sum>(rows.from(first), count, rounds, raw, part, sums);
      if (transforms) {
        double* const numbers = [&] {
          if constexpr (std::is_same_v<Sum, double>) return sums;
          std::copy_n(sums, size, part.transformed);
          return part.transformed;
        }();
        apply_transform(transform_, transform_scale_, n_outputs_, count, numbers);
        for (std::size_t i = 0; i < size; ++i) block_out[i] = static_cast<Out>(numbers[i]);
      } else if (static_cast<void*>(sums) != static_cast<void*>(block_out)) {
        for (std::size_t i = 0; i < size; ++i) block_out[i] = static_cast<Out>(sums[i]);
      }
    };
    if (float32_ == std::is_same_v<Out, float>) {
      finish(block_out);
    } else if (float32_) {
      finish(reinterpret_cast<float*>(part.sums));
    } else {
      finish(reinterpret_cast<double*>(part.sums));
    }
  }
}

template <class Rows>
void Forest::leaf_indices(const Rows& rows, std::size_t n, Rounds rounds, std::uint32_t* out,
                          std::byte* scratch) const noexcept {
  const Parts part = parts(scratch, n);
  const std::size_t width = n_trees(rounds);
  const Tree* const first_tree = trees_.data() + round_trees_[rounds.first];
  std::size_t count = 0;
  for (std::size_t first = 0; first < n; first += count) {
    count = next_block(n - first);
    const KeepLeafId sink{leaf_ids_.data(), leaf_numbers(count), first_tree, out + first * width, width};
    each_segment(rows.from(first), count, rounds, part, [&](std::size_t segment, const WalkArrays& arrays) {
      each_leaf(segment, arrays, part, count, sink);
    });
  }
}

#define SHORTLIST_INSTANTIATE(Rows)                                                                        \
  template void Forest::predict<Rows, float>(const Rows&, std::size_t, Rounds, bool, float*, std::byte*)   \
      const noexcept;                                                                                      \
  template void Forest::predict<Rows, double>(const Rows&, std::size_t, Rounds, bool, double*, std::byte*) \
      const noexcept;                                                                                      \
  template void Forest::leaf_indices<Rows>(const Rows&, std::size_t, Rounds, std::uint32_t*, std::byte*)   \
      const noexcept
SHORTLIST_INSTANTIATE(DenseRows<float>);
SHORTLIST_INSTANTIATE(DenseRows<double>);
SHORTLIST_INSTANTIATE(SparseRows<float>);
SHORTLIST_INSTANTIATE(SparseRows<double>);
#undef SHORTLIST_INSTANTIATE

}  // namespace shortlist::trees
