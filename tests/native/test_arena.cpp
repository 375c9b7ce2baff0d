// The arena hands out aligned, separate memory and keeps it between requests.
#include "base/arena.hpp"

#include <cstdint>
#include <cstring>
#include <new>

#include "base/aligned_buffer.hpp"
#include "check.hpp"

using shortlist::Arena;

namespace {

std::size_t misalignment(const void* pointer, std::size_t alignment) {
  return reinterpret_cast<std::uintptr_t>(pointer) % alignment;
}

}  // namespace

TEST_CASE(small_blocks_align_to_16_and_large_ones_to_64) {
  Arena arena;
  for (const std::size_t bytes : {1, 15, 16, 63, 64, 65, 1000, 300000}) {
    CHECK_EQ(misalignment(arena.allocate(bytes), bytes >= 64 ? 64 : 16), 0u);
  }
}

TEST_CASE(blocks_do_not_overlap_within_and_across_chunks) {
  Arena arena;
  constexpr std::size_t kBlocks = 64;
  constexpr std::size_t kBytes = Arena::kFirstChunkBytes / 8;
  unsigned char* blocks[kBlocks];
  for (std::size_t i = 0; i < kBlocks; ++i) {
    blocks[i] = static_cast<unsigned char*>(arena.allocate(kBytes));
    std::memset(blocks[i], static_cast<int>(i), kBytes);
  }
  for (std::size_t i = 0; i < kBlocks; ++i) {
    CHECK_EQ(static_cast<std::size_t>(blocks[i][0]), i);
    CHECK_EQ(static_cast<std::size_t>(blocks[i][kBytes - 1]), i);
  }
}

TEST_CASE(an_empty_block_is_allowed) {
  Arena arena;
  CHECK_EQ(arena.array<double>(0).size(), 0u);
  CHECK(arena.allocate(0) != nullptr);
}

TEST_CASE(after_a_reset_the_same_memory_is_handed_out_again) {
  Arena arena;
  const void* first = arena.allocate(1000);
  arena.reset();
  CHECK_EQ(arena.allocate(1000), first);
}

TEST_CASE(after_a_reset_one_chunk_holds_what_took_several) {
  Arena arena;
  constexpr std::size_t kBytes = Arena::kFirstChunkBytes;
  for (int i = 0; i < 4; ++i) static_cast<void>(arena.allocate(kBytes));
  arena.reset();
  auto* before = static_cast<std::byte*>(arena.allocate(kBytes));
  for (int i = 1; i < 4; ++i) {
    auto* next = static_cast<std::byte*>(arena.allocate(kBytes));
    CHECK_EQ(next - before, static_cast<std::ptrdiff_t>(kBytes));
    before = next;
  }
}

TEST_CASE(a_request_beyond_what_is_kept_leaves_a_working_arena) {
  Arena arena;
  for (int i = 0; i < 2; ++i) {
    auto block = arena.array<unsigned char>(Arena::kKeepBytes + 1);
    block.front() = block.back() = 1;
    arena.reset();
  }
  auto block = arena.array<unsigned char>(100);
  block.back() = 1;
  CHECK_EQ(block.size(), 100u);
}

TEST_CASE(sizes_that_overflow_are_refused) {
  Arena arena;
  CHECK_THROWS(arena.allocate(SIZE_MAX), std::bad_alloc, true);
  CHECK_THROWS(arena.allocate(SIZE_MAX / 2), std::bad_alloc, true);
  CHECK_THROWS(arena.array<double>(SIZE_MAX / 4), std::bad_alloc, true);
  CHECK_EQ(misalignment(arena.allocate(64), 64), 0u);
}

TEST_CASE(an_aligned_buffer_starts_at_a_cache_line_and_zeroed_means_zero) {
  for (const std::size_t size : {0, 1, 17, 4096}) {
    const auto buffer = shortlist::AlignedBuffer<float>::zeroed(size);
    CHECK_EQ(misalignment(buffer.data(), 64), 0u);
    CHECK_EQ(buffer.size(), size);
    for (const float value : buffer.span()) CHECK_EQ(value, 0.0f);
  }
}
