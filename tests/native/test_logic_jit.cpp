// Compiled logic programs: the interpreter's bits, pages that are never writable and executable, and a way
// without them.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <random>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "check.hpp"
#include "cpu/isa.hpp"
#include "environment.hpp"
#include "guarded.hpp"
#include "kernels/kernels.hpp"
#include "logic_programs.hpp"
#include "trees/bitslice/emitter.hpp"
#include "trees/bitslice/jit.hpp"

#if defined(__linux__)
#include <sys/prctl.h>
#endif

using shortlist::Error;
using shortlist::ErrorCode;
using shortlist::jit_allowed;
using shortlist::kNarrowVectorBytes;
using shortlist::kWideVectorBytes;
using shortlist::LogicInstruction;
using shortlist::LogicJit;
using shortlist::LogicMemory;
using shortlist::LogicOp;

namespace {

constexpr LogicMemory kMemory{.n_vectors = 1000, .first_writable = 600};

std::vector<std::span<const LogicInstruction>> spans_of(const std::vector<LogicProgram>& programs) {
  return {programs.begin(), programs.end()};
}
LogicJit compiled(const std::vector<LogicProgram>& programs, std::size_t vector_bytes,
                  const LogicMemory& memory = kMemory) {
  return LogicJit(spans_of(programs), vector_bytes, memory.n_vectors);
}
std::vector<LogicProgram> some_programs(std::mt19937& random, const LogicMemory& memory = kMemory) {
  std::vector<LogicProgram> programs;
  for (const std::size_t n : {0, 1, 31, 33, 100, 2000}) programs.push_back(random_program(random, n, memory));
  return programs;
}

// What the portable interpreter leaves; of vectors that it does not know, what each bit alone leaves.
void interpret(const LogicProgram& program, std::size_t vector_bytes, std::byte* memory) {
  const shortlist::LogicKernels& kernels = shortlist::kPortableKernels.logic;
  if (vector_bytes == kWideVectorBytes) return kernels.run_wide(program.data(), program.size(), memory);
  if (vector_bytes == kNarrowVectorBytes) return kernels.run_narrow(program.data(), program.size(), memory);
  run_bit_by_bit(program, vector_bytes, memory);
}

// The permissions of the page at `address`, such as "r-xp"; empty where none is mapped.
std::string permissions_at(const std::byte* address) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream fields(line);
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    std::string permissions;
    fields >> std::hex >> begin >> dash >> end >> permissions;
    if (begin <= wanted && wanted < end) return permissions;
  }
  return {};
}

}  // namespace

TEST_CASE(compiled_programs_leave_the_memory_that_interpreted_ones_leave) {
  if (!jit_allowed()) return;
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    std::mt19937 random(seed);
    const std::vector<LogicProgram> programs = some_programs(random);
    for (const std::size_t vector_bytes : {std::size_t{16}, std::size_t{32}, std::size_t{64}}) {
      if (vector_bytes == 32 && seed % 10 != 0) continue;  // its reference is slow
      const LogicJit jit = compiled(programs, vector_bytes);
      CHECK(jit.available());
      LogicBytes got = random_bytes(random, kMemory.n_vectors * vector_bytes);
      LogicBytes expected = copy_of(got);
      for (std::size_t i = 0; jit.available() && i < programs.size(); ++i) {
        jit.run(i, got.data());
        interpret(programs[i], vector_bytes, expected.data());
        CHECK(same_bytes(got, expected));
      }
    }
  }
}

TEST_CASE(vectors_at_the_ends_of_short_displacements_and_of_memory_are_reached) {
  if (!jit_allowed()) return;
  constexpr LogicMemory kLarge{.n_vectors = 70000, .first_writable = 0};
  std::mt19937 random(51);
  LogicProgram program;
  for (const std::uint32_t vector : {0u, 1u, 127u, 128u, 129u, 255u, 256u, 65535u, 65536u, 69999u}) {
    program.push_back({LogicOp::load, 0, 17, 0, vector});
    program.push_back({LogicOp::select_memory, 0x69, 17, 17, 69999 - vector});
    program.push_back({LogicOp::store, 0, 17, 0, vector});
  }
  for (const std::size_t vector_bytes : {kNarrowVectorBytes, kWideVectorBytes}) {
    const LogicJit jit = compiled({program}, vector_bytes, kLarge);
    LogicBytes got = random_bytes(random, kLarge.n_vectors * vector_bytes);
    LogicBytes expected = copy_of(got);
    jit.run(0, got.data());
    interpret(program, vector_bytes, expected.data());
    CHECK(same_bytes(got, expected));
  }
}

TEST_CASE(pages_are_executable_and_not_writable) {
  if (!jit_allowed()) return;
  std::mt19937 random(52);
  const LogicJit jit = compiled(some_programs(random), kWideVectorBytes);
  CHECK(!jit.code().empty());
  CHECK_EQ(permissions_at(jit.code().data()), std::string("r-xp"));
  CHECK_EQ(permissions_at(&jit.code().back()), std::string("r-xp"));
}

TEST_CASE(a_moved_object_takes_its_pages_along_and_gives_them_back) {
  if (!jit_allowed()) return;
  std::mt19937 random(53);
  const std::vector<LogicProgram> programs = some_programs(random);
  LogicJit first = compiled(programs, kWideVectorBytes);
  const std::byte* const code = first.code().data();
  LogicJit second = std::move(first);
  CHECK(!first.available() && first.code().empty());
  CHECK(second.code().data() == code);
  LogicJit third;
  CHECK(!third.available());
  third = std::move(second);
  CHECK(third.code().data() == code);
  LogicBytes got = random_bytes(random, kMemory.n_vectors * kWideVectorBytes);
  LogicBytes expected = copy_of(got);
  third.run(5, got.data());
  interpret(programs[5], kWideVectorBytes, expected.data());
  CHECK(same_bytes(got, expected));
}

TEST_CASE(nothing_is_compiled_where_the_environment_says_so) {
  std::mt19937 random(54);
  const std::vector<LogicProgram> programs = some_programs(random);
  {
    const Variable off("SHORTLIST_JIT", "0");
    CHECK(!jit_allowed());
    CHECK(!compiled(programs, kWideVectorBytes).available());
  }
  {
    const Variable portable("SHORTLIST_ISA", "portable");
    CHECK(!jit_allowed());
    CHECK(!compiled(programs, kWideVectorBytes).available());
  }
  for (const char* value : {static_cast<const char*>(nullptr), "", "1"}) {
    const Variable on("SHORTLIST_JIT", value);
    const shortlist::Isa isa = shortlist::chosen_isa();
    CHECK_EQ(jit_allowed(), isa == shortlist::Isa::avx512 || isa == shortlist::Isa::avx512vbmi);
    CHECK_EQ(compiled(programs, kWideVectorBytes).available(), jit_allowed());
  }
}

TEST_CASE(a_switch_that_is_neither_0_nor_1_is_refused) {
  for (const char* value : {"2", "off", "01", " 1"}) {
    const Variable odd("SHORTLIST_JIT", value);
    CHECK_THROWS(jit_allowed(), Error,
                 error.code() == ErrorCode::invalid_argument &&
                     std::string(error.what()).find("SHORTLIST_JIT") != std::string::npos);
    CHECK_THROWS(compiled({}, kWideVectorBytes), Error, error.code() == ErrorCode::invalid_argument);
  }
}

TEST_CASE(sizes_that_are_none_are_refused_even_where_nothing_is_compiled) {
  const LogicProgram good = {{LogicOp::load, 0, 0, 0, 0}};
  for (const char* value : {"0", "1"}) {
    const Variable set("SHORTLIST_JIT", value);
    for (const std::size_t vector_bytes : {0, 8, 48, 128}) {
      CHECK_THROWS(compiled({good}, vector_bytes), Error, error.code() == ErrorCode::invalid_argument);
    }
    const LogicMemory large{.n_vectors = (std::size_t{1} << 25) + 1, .first_writable = 0};
    CHECK_THROWS(compiled({good}, kWideVectorBytes, large), Error, error.code() == ErrorCode::unsupported);
    CHECK_EQ(compiled({good}, kNarrowVectorBytes, large).available(), jit_allowed());
  }
  CHECK(!compiled({}, kWideVectorBytes).available());
}

TEST_CASE(the_emitter_stops_before_the_end_of_its_memory) {
  const LogicProgram program(10, {LogicOp::select_memory, 0, 31, 31, 999});
  const std::size_t room = shortlist::LogicEmitter::room_for(program.size(), 1);
  for (std::size_t bytes = 0; bytes <= room; ++bytes) {
    const Guarded<std::byte> code(bytes);
    shortlist::LogicEmitter emitter(code.span(), kWideVectorBytes);
    try {
      CHECK_EQ(emitter.function(program), 0u);
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::invalid_argument && bytes < room);
    }
    CHECK(emitter.size() <= bytes);
  }
}

#if defined(__linux__)
TEST_CASE(where_the_system_refuses_executable_pages_there_is_no_code) {
  std::mt19937 random(55);
  const std::vector<LogicProgram> programs = some_programs(random);
  constexpr int kRefuseExecutable = 65;  // PR_SET_MDWE, which older headers do not name
  const pid_t child = fork();
  if (child == 0) {
    if (prctl(kRefuseExecutable, 1, 0, 0, 0) != 0) _exit(0);  // a kernel before 6.3
    _exit(compiled(programs, kWideVectorBytes).available() ? 1 : 0);
  }
  int status = -1;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
#endif
