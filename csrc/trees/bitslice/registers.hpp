// Steps of logic into instructions: which register or vector of memory each value is in.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "kernels/logic.hpp"
#include "trees/bitslice/tree_steps.hpp"

namespace shortlist::trees {

// Memory is the predicates' vectors, then those that programs write.
class RegisterAllocator {
 public:
  explicit RegisterAllocator(std::uint32_t n_predicates);

  // Appends the program of a tree to `program`, and to `planes` where in memory each plane of the code is.
  void allocate(const TreeSteps& tree, std::vector<LogicInstruction>& program,
                std::vector<std::uint32_t>& planes);

 private:
  static constexpr std::uint32_t kNever = 0xffffffff;

  struct Register {
    PlaneVar var;
    bool used;
  };
  // What a step reads.
  struct Operand {
    PlaneVar var;
    int place;               // register, or -1
    std::uint32_t next_use;  // after this step
  };

  void find_uses(const TreeSteps& tree);
  [[nodiscard]] std::uint32_t& last_seen(PlaneVar var);
  [[nodiscard]] int register_of(PlaneVar var) const;
  [[nodiscard]] std::uint32_t memory_of(PlaneVar var) const;
  [[nodiscard]] int free_register(std::uint32_t locked);
  void emit(LogicOp op, std::uint8_t table, int target, int first, std::uint32_t operand);
  int load(PlaneVar var, std::uint32_t locked);
  void step(const TruthTable& function, std::size_t at);
  [[nodiscard]] std::size_t choose_target(std::array<Operand, 3>& operands, std::size_t n) const;
  void store_planes(const TreeSteps& tree, std::vector<std::uint32_t>& planes);

  std::uint32_t n_predicates_;
  std::vector<LogicInstruction>* program_ = nullptr;
  std::array<Register, kLogicRegisters> registers_ = {};
  std::array<std::uint32_t, kLogicRegisters> next_uses_ = {};
  std::vector<std::array<std::uint32_t, 3>> next_use_;  // of each operand of each step
  std::vector<std::uint32_t> seen_steps_, seen_predicates_;
  std::vector<PlaneVar> seen_;          // predicates to forget after a tree
  std::vector<std::uint32_t> spilled_;  // vector of memory of each step's value, kNever where none
  std::vector<std::uint32_t> free_vectors_;
  std::uint32_t end_of_vectors_ = 0;
};

}  // namespace shortlist::trees
