// Blocks of trees by look-ups, on every instruction set: against the decisions of their nodes one after
// another.
#include "kernels/lookup.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "check.hpp"
#include "cpu/isa.hpp"
#include "kernels/kernels.hpp"

using namespace shortlist;

namespace {

constexpr std::size_t kBlocks = 37;

struct alignas(64) RowBytes {
  std::uint8_t bytes[kRowBytes];
};

RowBytes random_row(std::mt19937& random) {
  RowBytes row;
  for (std::uint8_t& byte : row.bytes) byte = static_cast<std::uint8_t>(random());
  return row;
}

// A tree with `n_nodes` decisions at nodes first, first + 1, ... of a block, no way longer than max_steps.
void grow(TreeBlock& block, std::size_t first, std::size_t n_nodes, std::size_t max_steps, bool wide,
          std::mt19937& random) {
  struct Slot {
    std::uint8_t* child;
    std::size_t depth;
  };
  std::vector<Slot> open;
  std::size_t next = 0;
  const auto open_node = [&](std::size_t depth) {
    const std::size_t node = first + next++;
    block.column[node] = static_cast<std::uint8_t>(random() % (wide ? 256 : 128));
    block.limit[node] = static_cast<std::uint8_t>(random());
    open.push_back({&block.left[node], depth + 1});
    open.push_back({&block.right[node], depth + 1});
    return static_cast<std::uint8_t>(node);
  };
  open_node(0);
  while (next < n_nodes) {
    const std::size_t pick = random() % open.size();
    const Slot slot = open[pick];
    if (slot.depth >= max_steps) {
      if (std::all_of(open.begin(), open.end(), [&](const Slot& s) { return s.depth >= max_steps; })) break;
      continue;
    }
    open.erase(open.begin() + static_cast<std::ptrdiff_t>(pick));
    *slot.child = open_node(slot.depth);
  }
  std::uint8_t exit = static_cast<std::uint8_t>(kBlockNodes + first);
  for (const Slot& slot : open) *slot.child = exit++;
}

AlignedBuffer<TreeBlock> random_blocks(const BlockShape& shape, std::mt19937& random) {
  AlignedBuffer<TreeBlock> blocks(kBlocks);
  const std::size_t width = kBlockNodes / shape.n_roots;
  for (TreeBlock& block : blocks.span()) {
    for (std::size_t node = 0; node < kBlockNodes; ++node) {
      block.column[node] = 0;
      block.limit[node] = 255;
      block.left[node] = block.right[node] = static_cast<std::uint8_t>(kBlockNodes + node);
    }
    for (std::size_t r = 0; r < shape.n_roots; ++r)
      grow(block, r * width, 1 + random() % (width - 1), std::size_t{1} << shape.doublings, shape.wide,
           random);
  }
  return blocks;
}

std::uint8_t walked(const TreeBlock& block, std::size_t node, const std::uint8_t* bytes,
                    std::uint64_t outside) {
  while (node < kBlockNodes) {
    const bool right = bytes[block.column[node]] > block.limit[node] || (outside >> node & 1u) != 0;
    node = right ? block.right[node] : block.left[node];
  }
  return static_cast<std::uint8_t>(node);
}

struct Masks {
  Masks(std::size_t n_sets, std::mt19937& random) {
    for (std::size_t s = 0; s < n_sets; ++s) {
      std::array<std::uint64_t, kBlocks>& set = sets.emplace_back();
      for (std::uint64_t& mask : set) mask = (std::uint64_t{random()} << 32 | random()) & random();
    }
    for (const auto& set : sets) pointers.push_back(set.data());
  }
  [[nodiscard]] std::uint64_t of(std::size_t block) const {
    std::uint64_t mask = 0;
    for (const auto& set : sets) mask |= set[block];
    return mask;
  }
  std::vector<std::array<std::uint64_t, kBlocks>> sets;
  std::vector<const std::uint64_t*> pointers;
};

template <class S>
struct Columns {
  // Thresholds of each column, ascending.
  explicit Columns(const std::vector<std::vector<S>>& thresholds) {
    std::size_t n_pages = 0;
    for (const auto& column : thresholds) n_pages += column.size() / kPageThresholds + 1;
    numbers = AlignedBuffer<S>(n_pages * (kPageNumbers + 1));
    std::fill_n(numbers.data(), numbers.size(), std::numeric_limits<S>::infinity());
    S* page = numbers.data();
    S* top = page + n_pages * kPageNumbers;
    for (const auto& column : thresholds) {
      pages.push_back({top, page, static_cast<std::uint32_t>(column.size() / kPageThresholds + 1)});
      for (std::size_t first = 0; first <= column.size(); first += kPageThresholds) {
        const std::size_t n = std::min(column.size() - first, kPageThresholds);
        std::copy_n(column.begin() + static_cast<std::ptrdiff_t>(first), n, page + 16);
        for (std::size_t i = 0; i < 16; ++i) page[i] = page[16 + 16 * i + 15];
        *top++ = page[16 + kPageThresholds - 1];
        page += kPageNumbers;
      }
    }
  }
  AlignedBuffer<S> numbers;
  std::vector<ThresholdPages<S>> pages;
};

template <class S, class Encode>
void check_bytes(const Encode& encode) {
  constexpr S kInfinity = std::numeric_limits<S>::infinity();
  std::mt19937 random(31);
  std::vector<std::vector<S>> thresholds;
  for (const std::size_t n : {0u, 1u, 15u, 16u, 17u, 254u, 255u, 256u, 257u, 511u, 512u, 3000u}) {
    std::vector<S> column;
    for (std::size_t i = 0; i < n; ++i) column.push_back(static_cast<S>(i) - static_cast<S>(n) / 2);
    if (n == 17) column.back() = kInfinity;
    thresholds.push_back(column);
  }
  const Columns<S> columns(thresholds);
  std::vector<std::uint32_t> column, missing, missing_rank, base;
  for (std::uint32_t c = 0; c < thresholds.size(); ++c) {
    for (std::uint32_t b = 0; b <= thresholds[c].size(); b += 254) {
      column.push_back(c);
      missing.push_back(random() % 2 == 0 ? kMissingNan : kMissingZero);
      missing_rank.push_back(static_cast<std::uint32_t>(random() % 3 == 0 ? 65535 : random() % 300));
      base.push_back(b);
    }
  }
  const std::size_t n_bytes = column.size();
  for (auto* array : {&column, &missing, &missing_rank, &base})
    array->resize((n_bytes + kRowStep - 1) / kRowStep * kRowStep);
  const RowTables<S> tables{columns.pages.data(), columns.pages.size(), column.data(), missing.data(),
                            missing_rank.data(),  base.data(),          n_bytes};
  const std::vector<S> special = {std::numeric_limits<S>::quiet_NaN(),
                                  kInfinity,
                                  -kInfinity,
                                  S{0},
                                  -S{0},
                                  static_cast<S>(1e-35f),
                                  static_cast<S>(2e-35f),
                                  static_cast<S>(0.5)};
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<S> numbers;
    for (const auto& sorted : thresholds) {
      const bool of_thresholds = !sorted.empty() && random() % 2 == 0;
      numbers.push_back(of_thresholds ? sorted[random() % sorted.size()]
                                      : special[random() % special.size()]);
    }
    RowBytes got = {};
    encode(numbers.data(), tables, got.bytes);
    for (std::size_t i = 0; i < n_bytes; ++i) {
      const S x = numbers[column[i]];
      const auto& sorted = thresholds[column[i]];
      const bool zero = !(std::abs(x) > static_cast<S>(1e-35f));
      const bool absent = missing[i] == kMissingNan ? x != x : zero;
      const std::size_t below = static_cast<std::size_t>(
          std::count_if(sorted.begin(), sorted.end(), [x](S threshold) { return threshold < x; }));
      const std::size_t rank = absent ? missing_rank[i] : below;
      const std::size_t expected = rank <= base[i] ? 0 : std::min<std::size_t>(rank - base[i], 255);
      CHECK_EQ(std::size_t{got.bytes[i]}, expected);
    }
  }
}

}  // namespace

TEST_CASE(every_root_leads_to_the_exit_that_its_nodes_lead_to) {
  for (const Isa isa : available_isas()) {
    const LookupKernels& kernels = kernels_of(isa).lookup;
    std::mt19937 random(7);
    for (std::uint32_t doublings = kMinDoublings; doublings <= kMaxDoublings; ++doublings) {
      for (const std::uint32_t n_roots : {1u, 2u, 4u}) {
        for (const std::size_t n_sets : {0u, 1u, 3u}) {
          const BlockShape shape{doublings, n_roots, random() % 2 == 0};
          const AlignedBuffer<TreeBlock> blocks = random_blocks(shape, random);
          const Masks masks(n_sets, random);
          const RowBytes bytes = random_row(random);
          const LookupRow row{bytes.bytes, masks.pointers.data(), n_sets};
          const std::size_t first = random() % 3, n = kBlocks - first - random() % 3;
          std::vector<std::uint8_t> exits(n * n_roots + 3);
          kernels.exits(blocks.data(), first, n, shape, row, exits.data());
          for (std::size_t i = 0; i < n * n_roots; ++i) {
            const std::size_t block = first + i / n_roots;
            const std::size_t root = i % n_roots * kBlockNodes / n_roots;
            CHECK_EQ(int{exits[i]}, int{walked(blocks[block], root, bytes.bytes, masks.of(block))});
          }
          std::vector<std::uint32_t> roots(n);
          for (std::uint32_t& root : roots) {
            const std::uint64_t of_block = random() % n_roots * kBlockNodes / n_roots;
            root = static_cast<std::uint32_t>(random() % kBlocks * kBlockNodes + of_block);
          }
          exits.assign(n + 3, 0);
          kernels.exits_of(blocks.data(), roots.data(), n, shape, row, exits.data());
          for (std::size_t i = 0; i < n; ++i) {
            const std::size_t block = roots[i] / kBlockNodes, root = roots[i] % kBlockNodes;
            CHECK_EQ(int{exits[i]}, int{walked(blocks[block], root, bytes.bytes, masks.of(block))});
          }
        }
      }
    }
  }
}

TEST_CASE(codes_of_oblivious_trees_have_a_bit_for_each_level) {
  for (const Isa isa : available_isas()) {
    std::mt19937 random(8);
    AlignedBuffer<LevelBlock> levels(kBlocks);
    for (LevelBlock& level : levels.span()) {
      for (std::size_t t = 0; t < kBlockNodes; ++t) {
        level.column[t] = static_cast<std::uint8_t>(random());
        level.limit[t] = static_cast<std::uint8_t>(random());
      }
    }
    for (std::size_t n_levels = 1; n_levels <= 8; ++n_levels) {
      const std::size_t first = random() % (kBlocks - n_levels);
      const Masks masks(n_levels % 3, random);
      const RowBytes bytes = random_row(random);
      std::uint8_t codes[kBlockNodes];
      kernels_of(isa).lookup.codes(levels.data(), first, n_levels,
                                   {bytes.bytes, masks.pointers.data(), masks.sets.size()}, codes);
      for (std::size_t t = 0; t < kBlockNodes; ++t) {
        std::uint32_t expected = 0;
        for (std::size_t l = 0; l < n_levels; ++l) {
          const LevelBlock& level = levels[first + l];
          const bool right =
              bytes.bytes[level.column[t]] > level.limit[t] || (masks.of(first + l) >> t & 1u) != 0;
          expected |= std::uint32_t{right} << l;
        }
        CHECK_EQ(std::uint32_t{codes[t]}, expected);
      }
    }
  }
}

TEST_CASE(bytes_are_ranks_above_a_base) {
  for (const Isa isa : available_isas()) {
    const LookupKernels& kernels = kernels_of(isa).lookup;
    check_bytes<float>(kernels.encode32);
    check_bytes<double>(kernels.encode64);
  }
}

TEST_CASE(sets_by_code_are_the_sets) {
  std::mt19937 random(9);
  for (const Isa isa : available_isas()) {
    for (const bool wide : {false, true}) {
      const BitsliceKernels& kernels = wide ? kernels_of(isa).blocks.wide : kernels_of(isa).blocks.narrow;
      if (kernels.outside_sets_by_code == nullptr) continue;
      const std::size_t vector_bytes = wide ? kWideVectorBytes : kNarrowVectorBytes;
      for (const std::size_t n : {1u, 7u, 64u, 511u, 512u, 513u, 1300u}) {
        constexpr std::size_t kCodes = 90;
        const std::size_t stride = (n + 511) / 512 * 64;
        std::vector<std::byte> by_code(kCodes * stride);
        for (std::byte& byte : by_code) byte = static_cast<std::byte>(random());
        std::vector<std::uint16_t> codes(vector_bytes * 8);
        for (std::uint16_t& code : codes) code = static_cast<std::uint16_t>(random() % kCodes);
        std::vector<std::byte> out(n * vector_bytes + 1, std::byte{0x5a});
        kernels.outside_sets_by_code({by_code.data(), stride, codes.data(), n, out.data()});
        bool same = out.back() == std::byte{0x5a};
        for (std::size_t i = 0; i < n; ++i) {
          for (std::size_t row = 0; row < codes.size(); ++row) {
            const bool expected =
                (by_code[codes[row] * stride + i / 8] >> i % 8 & std::byte{1}) != std::byte{0};
            const bool got = (out[i * vector_bytes + row / 8] >> row % 8 & std::byte{1}) != std::byte{0};
            same = same && got == expected;
          }
        }
        CHECK(same);
      }
    }
  }
}
