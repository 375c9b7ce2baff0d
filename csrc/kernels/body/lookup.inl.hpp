// Blocks of trees without registers that hold them: step by step, as any machine can. Included into one file
// for each instruction set, after its flags.
#include "kernels/lookup.hpp"

namespace shortlist {
namespace {

inline bool outside_set(const LookupRow& row, std::size_t block, std::size_t node) noexcept {
  std::uint64_t outside = 0;
  for (std::size_t s = 0; s < row.n_sets; ++s) outside |= row.outside[s][block];
  return (outside >> node & 1u) != 0;
}

inline std::uint8_t exit_from(const TreeBlock* blocks, std::size_t index, std::size_t node,
                              const LookupRow& row) noexcept {
  const TreeBlock& block = blocks[index];
  while (node < kBlockNodes) {
    const bool right = row.bytes[block.column[node]] > block.limit[node] || outside_set(row, index, node);
    node = right ? block.right[node] : block.left[node];
  }
  return static_cast<std::uint8_t>(node);
}

void exits_by_step(const TreeBlock* blocks, std::size_t first, std::size_t n, const BlockShape& shape,
                   const LookupRow& row, std::uint8_t* exits) noexcept {
  const std::size_t distance = kBlockNodes / shape.n_roots;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t r = 0; r < shape.n_roots; ++r)
      exits[i * shape.n_roots + r] = exit_from(blocks, first + i, r * distance, row);
  }
}

void exits_of_by_step(const TreeBlock* blocks, const std::uint32_t* roots, std::size_t n, const BlockShape&,
                      const LookupRow& row, std::uint8_t* exits) noexcept {
  for (std::size_t i = 0; i < n; ++i)
    exits[i] = exit_from(blocks, roots[i] / kBlockNodes, roots[i] % kBlockNodes, row);
}

void codes_by_level(const LevelBlock* levels, std::size_t first, std::size_t n_levels, const LookupRow& row,
                    std::uint8_t* codes) noexcept {
  for (std::size_t t = 0; t < kBlockNodes; ++t) {
    std::uint32_t code = 0;
    for (std::size_t l = 0; l < n_levels; ++l) {
      const LevelBlock& level = levels[first + l];
      const bool right = row.bytes[level.column[t]] > level.limit[t] || outside_set(row, first + l, t);
      code |= std::uint32_t{right} << l;
    }
    codes[t] = static_cast<std::uint8_t>(code);
  }
}

constexpr LookupKernels lookup_by_step() noexcept {
  return {false, exits_by_step, exits_of_by_step, codes_by_level, encode<float>, encode<double>};
}

}  // namespace
}  // namespace shortlist
