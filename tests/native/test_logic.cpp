// Logic programs: every instruction set's interpreter against one that goes bit by bit, and what is refused.
#include <random>
#include <string>

#include "base/error.hpp"
#include "check.hpp"
#include "cpu/isa.hpp"
#include "kernels/kernels.hpp"
#include "logic_programs.hpp"

using shortlist::check_logic;
using shortlist::Error;
using shortlist::ErrorCode;
using shortlist::Isa;
using shortlist::kNarrowVectorBytes;
using shortlist::kWideVectorBytes;
using shortlist::LogicKernels;
using shortlist::LogicMemory;
using shortlist::LogicOp;

namespace {

// Both sizes of vector on every set must leave the memory that the reference leaves.
void expect_same_as_bit_by_bit(const LogicProgram& program, const LogicMemory& memory, std::mt19937& random) {
  for (const std::size_t vector_bytes : {kNarrowVectorBytes, kWideVectorBytes}) {
    const LogicBytes before = random_bytes(random, memory.n_vectors * vector_bytes);
    LogicBytes expected = copy_of(before);
    run_bit_by_bit(program, vector_bytes, expected.data());
    for (const Isa isa : shortlist::available_isas()) {
      LogicBytes got = copy_of(before);
      const LogicKernels& kernels = shortlist::kernels_of(isa).logic;
      const auto run = vector_bytes == kWideVectorBytes ? kernels.run_wide : kernels.run_narrow;
      run(program.data(), program.size(), got.data());
      CHECK(same_bytes(got, expected));
    }
  }
}

bool refused(const LogicProgram& program, const std::string& reason) {
  try {
    check_logic(program, 7, LogicMemory{.n_vectors = 10, .first_writable = 6});
  } catch (const Error& error) {
    const std::string where =
        "logic program 7, instruction " + std::to_string(program.size() - 1) + ": " + reason;
    if (error.code() != ErrorCode::invalid_format || error.what() != where) std::cerr << error.what() << '\n';
    return error.code() == ErrorCode::invalid_format && error.what() == where;
  }
  return false;
}

}  // namespace

TEST_CASE(random_programs_give_what_each_bit_alone_gives_on_every_set) {
  std::mt19937 random(41);
  for (const std::size_t n : {0, 1, 5, 31, 40, 100, 1000}) {
    for (const std::size_t n_vectors : {3, 40, 900}) {
      const LogicMemory memory{.n_vectors = n_vectors, .first_writable = n_vectors / 2};
      const LogicProgram program = random_program(random, n, memory);
      check_logic(program, 0, memory);
      expect_same_as_bit_by_bit(program, memory, random);
    }
  }
}

TEST_CASE(every_table_gives_what_each_bit_alone_gives_on_every_set) {
  std::mt19937 random(42);
  const LogicMemory memory{.n_vectors = 3 + 2 * 256, .first_writable = 3};
  LogicProgram program;
  for (std::uint32_t table = 0; table < 256; ++table) {
    const auto bits = static_cast<std::uint8_t>(table);
    program.push_back({LogicOp::load, 0, 31, 0, 0});
    program.push_back({LogicOp::load, 0, 1, 0, 1});
    program.push_back({LogicOp::load, 0, 2, 0, 2});
    program.push_back({LogicOp::select, bits, 31, 1, 2});
    program.push_back({LogicOp::store, 0, 31, 0, 3 + table});
    program.push_back({LogicOp::select_memory, bits, 31, 1, 2});
    program.push_back({LogicOp::store, 0, 31, 0, 3 + 256 + table});
  }
  check_logic(program, 0, memory);
  expect_same_as_bit_by_bit(program, memory, random);
}

TEST_CASE(a_register_may_be_all_operands_of_an_instruction) {
  std::mt19937 random(43);
  const LogicMemory memory{.n_vectors = 2, .first_writable = 1};
  for (unsigned table = 0; table < 256; ++table) {
    const LogicProgram program = {{LogicOp::load, 0, 9, 0, 0},
                                  {LogicOp::select, static_cast<std::uint8_t>(table), 9, 9, 9},
                                  {LogicOp::store, 0, 9, 0, 1}};
    expect_same_as_bit_by_bit(program, memory, random);
  }
}

TEST_CASE(instructions_that_are_none_are_refused_by_program_and_position) {
  const LogicProgram::value_type load = {LogicOp::load, 0, 0, 0, 0};
  CHECK(refused({load, {static_cast<LogicOp>(4), 0, 0, 0, 0}}, "unknown operation"));
  CHECK(refused({load, {static_cast<LogicOp>(255), 0, 0, 0, 0}}, "unknown operation"));
  CHECK(refused({load, {LogicOp::load, 0, 32, 0, 0}}, "no such register"));
  CHECK(refused({load, {LogicOp::select_memory, 1, 0, 32, 0}}, "no such register"));
  CHECK(refused({load, {LogicOp::select, 1, 0, 0, 32}}, "no such register"));
  CHECK(refused({load, {LogicOp::select, 1, 0, 0, 0xFFFFFFFF}}, "no such register"));
}

TEST_CASE(vectors_that_are_not_there_or_read_only_are_refused) {
  const LogicProgram::value_type load = {LogicOp::load, 0, 0, 0, 9};
  CHECK(refused({load, {LogicOp::load, 0, 0, 0, 10}}, "no such vector"));
  CHECK(refused({load, {LogicOp::select_memory, 1, 0, 0, 10}}, "no such vector"));
  CHECK(refused({load, {LogicOp::store, 0, 0, 0, 10}}, "no such vector"));
  CHECK(refused({load, {LogicOp::store, 0, 0, 0, 0xFFFFFFFF}}, "no such vector"));
  CHECK(refused({load, {LogicOp::store, 0, 0, 0, 5}}, "stores to a vector that is read only"));
  CHECK(!refused({load, {LogicOp::store, 0, 0, 0, 6}}, ""));
}

TEST_CASE(fields_that_an_operation_does_not_use_must_be_zero) {
  const LogicProgram::value_type load = {LogicOp::load, 0, 0, 0, 0};
  const std::string reason = "a field that the operation does not use is not 0";
  CHECK(refused({load, {LogicOp::load, 1, 0, 0, 0}}, reason));
  CHECK(refused({load, {LogicOp::load, 0, 0, 1, 0}}, reason));
  CHECK(refused({load, {LogicOp::store, 1, 0, 0, 6}}, reason));
  CHECK(refused({load, {LogicOp::store, 0, 0, 1, 6}}, reason));
}

TEST_CASE(a_register_without_a_value_is_read_by_no_program) {
  const LogicProgram::value_type load = {LogicOp::load, 0, 0, 0, 0};
  const std::string reason = "reads a register before it is written";
  CHECK(refused({load, {LogicOp::store, 0, 1, 0, 6}}, "stores a register before it is written"));
  CHECK(refused({load, {LogicOp::select_memory, 0xF0, 1, 0, 0}}, reason));
  CHECK(refused({load, {LogicOp::select_memory, 0xCC, 0, 1, 0}}, reason));
  CHECK(refused({load, {LogicOp::select, 0xAA, 0, 0, 1}}, reason));
  // A table that does not depend on an input does not read it.
  for (const std::uint8_t constant : {std::uint8_t{0x00}, std::uint8_t{0xFF}}) {
    CHECK(!refused({{LogicOp::select, constant, 5, 6, 7}, {LogicOp::store, 0, 5, 0, 6}}, ""));
  }
  CHECK(!refused({load, {LogicOp::select_memory, 0x88, 1, 0, 0}, {LogicOp::store, 0, 1, 0, 6}}, ""));
}
