#include "trees/bitslice/registers.hpp"

#include <algorithm>

namespace shortlist::trees {
namespace {

// A predicate that is read again within so many steps is kept in a register.
constexpr std::uint32_t kSoon = 16;
constexpr std::uint8_t kCopyOfFirst = 0xcc;  // table(a, b, c) = b

constexpr std::uint32_t bit(int place) { return place < 0 ? 0 : 1u << place; }

}  // namespace

RegisterAllocator::RegisterAllocator(std::uint32_t n_predicates)
    : n_predicates_(n_predicates), seen_predicates_(n_predicates, kNever) {}

void RegisterAllocator::allocate(const TreeSteps& tree, std::vector<LogicInstruction>& program,
                                 std::vector<std::uint32_t>& planes) {
  program_ = &program;
  registers_ = {};
  find_uses(tree);
  spilled_.assign(tree.steps.size(), kNever);
  free_vectors_.clear();
  // The planes take the first vectors behind the predicates.
  end_of_vectors_ = n_predicates_ + static_cast<std::uint32_t>(tree.planes.size());
  for (std::size_t at = 0; at < tree.steps.size(); ++at) step(tree.steps[at], at);
  store_planes(tree, planes);
}

std::uint32_t& RegisterAllocator::last_seen(PlaneVar var) {
  return var < 0 ? seen_steps_[static_cast<std::size_t>(~var)]
                 : seen_predicates_[static_cast<std::size_t>(var)];
}

// From the end: when each operand is read next. Planes are read by the stores behind the last step.
void RegisterAllocator::find_uses(const TreeSteps& tree) {
  const std::size_t n = tree.steps.size();
  seen_steps_.assign(n, kNever);
  next_use_.resize(n);
  for (const PlaneVar plane : tree.planes) {
    if (plane < 0) last_seen(plane) = static_cast<std::uint32_t>(n);
  }
  for (std::size_t at = n; at-- > 0;) {
    const TruthTable& function = tree.steps[at];
    for (std::size_t i = 0; i < function.n; ++i) {
      next_use_[at][i] = last_seen(function.vars[i]);
      if (function.vars[i] >= 0) seen_.push_back(function.vars[i]);
    }
    for (std::size_t i = 0; i < function.n; ++i) last_seen(function.vars[i]) = static_cast<std::uint32_t>(at);
  }
  for (const PlaneVar predicate : seen_) last_seen(predicate) = kNever;
  seen_.clear();
}

int RegisterAllocator::register_of(PlaneVar var) const {
  for (std::size_t i = 0; i < kLogicRegisters; ++i) {
    if (registers_[i].used && registers_[i].var == var) return static_cast<int>(i);
  }
  return -1;
}

std::uint32_t RegisterAllocator::memory_of(PlaneVar var) const {
  return var >= 0 ? static_cast<std::uint32_t>(var) : spilled_[static_cast<std::size_t>(~var)];
}

void RegisterAllocator::emit(LogicOp op, std::uint8_t table, int target, int first, std::uint32_t operand) {
  program_->push_back(
      {op, table, static_cast<std::uint8_t>(target), static_cast<std::uint8_t>(first), operand});
}

// A register out of those not locked: an empty one, else a predicate that memory has anyway, else a value
// that is written to memory; of several the one that is read last.
int RegisterAllocator::free_register(std::uint32_t locked) {
  int best = -1;
  for (int i = 0; i < static_cast<int>(kLogicRegisters); ++i) {
    if ((locked & bit(i)) != 0) continue;
    const Register& candidate = registers_[static_cast<std::size_t>(i)];
    if (!candidate.used) return i;
    if (best < 0) {
      best = i;
      continue;
    }
    const bool cheap = candidate.var >= 0, best_cheap = registers_[static_cast<std::size_t>(best)].var >= 0;
    const std::uint32_t use = next_uses_[static_cast<std::size_t>(i)];
    if (cheap != best_cheap ? cheap : use > next_uses_[static_cast<std::size_t>(best)]) best = i;
  }
  Register& evicted = registers_[static_cast<std::size_t>(best)];
  if (evicted.var < 0 && memory_of(evicted.var) == kNever) {
    std::uint32_t vector = end_of_vectors_;
    if (free_vectors_.empty()) {
      ++end_of_vectors_;
    } else {
      vector = free_vectors_.back();
      free_vectors_.pop_back();
    }
    spilled_[static_cast<std::size_t>(~evicted.var)] = vector;
    emit(LogicOp::store, 0, best, 0, vector);
  }
  evicted.used = false;
  return best;
}

int RegisterAllocator::load(PlaneVar var, std::uint32_t locked) {
  const int place = free_register(locked);
  emit(LogicOp::load, 0, place, 0, memory_of(var));
  return place;
}

// Moves the operand that the result overwrites to the front: one that nothing reads again and that is in a
// register, else one in memory (which is loaded anyway), else any (which is copied).
std::size_t RegisterAllocator::choose_target(std::array<Operand, 3>& operands, std::size_t n) const {
  std::size_t chosen = 0;
  const auto rank = [](const Operand& operand) {
    if (operand.place >= 0) return operand.next_use == kNever ? 0 : 3;
    return operand.next_use == kNever ? 1 : 2;
  };
  for (std::size_t i = 1; i < n; ++i) {
    if (rank(operands[i]) < rank(operands[chosen])) chosen = i;
  }
  return chosen;
}

void RegisterAllocator::step(const TruthTable& function, std::size_t at) {
  const std::size_t n = function.n;
  std::array<Operand, 3> operands = {};
  std::uint32_t locked = 0;
  for (std::size_t i = 0; i < n; ++i) {
    operands[i] = {function.vars[i], register_of(function.vars[i]), next_use_[at][i]};
    locked |= bit(operands[i].place);
    if (operands[i].place >= 0)
      next_uses_[static_cast<std::size_t>(operands[i].place)] = operands[i].next_use;
  }
  const auto keep = [&](Operand& operand, int place) {
    operand.place = place;
    registers_[static_cast<std::size_t>(place)] = {operand.var, true};
    next_uses_[static_cast<std::size_t>(place)] = operand.next_use;
    locked |= bit(place);
  };

  // Of the operands that are not overwritten one may stay in memory.
  std::array<unsigned, 3> order = {0, 1, 2};
  int target = -1;
  if (n > 0) {
    const std::size_t chosen = choose_target(operands, n);
    std::swap(order[0], order[chosen]);
    if (n == 3) {
      const Operand& a = operands[order[1]];
      const Operand& b = operands[order[2]];
      // The one in memory that is read last stays there.
      const bool swap = a.place < 0 && (b.place >= 0 || a.next_use > b.next_use);
      if (swap) std::swap(order[1], order[2]);
    }
    for (std::size_t i = 1; i < n; ++i) {
      Operand& operand = operands[order[i]];
      const bool last = i + 1 == n;
      const bool soon = operand.next_use != kNever && operand.next_use - at <= kSoon;
      if (operand.place < 0 && (!last || soon)) keep(operand, load(operand.var, locked));
    }
    Operand& overwritten = operands[order[0]];
    if (overwritten.place < 0) {
      const bool soon = overwritten.next_use != kNever && overwritten.next_use - at <= kSoon;
      if (soon) keep(overwritten, load(overwritten.var, locked));
    }
    if (overwritten.place < 0) {
      target = load(overwritten.var, locked);
    } else if (overwritten.next_use == kNever) {
      target = overwritten.place;
    } else {
      target = free_register(locked);
      emit(LogicOp::select, kCopyOfFirst, target, overwritten.place,
           static_cast<std::uint32_t>(overwritten.place));
    }
  } else {
    target = free_register(locked);
  }

  const std::uint8_t table = reordered(function.table, order);
  const auto place = [&](std::size_t i) { return operands[order[i]].place; };
  if (n == 3) {
    if (place(2) >= 0) {
      emit(LogicOp::select, table, target, place(1), static_cast<std::uint32_t>(place(2)));
    } else {
      emit(LogicOp::select_memory, table, target, place(1), memory_of(operands[order[2]].var));
    }
  } else if (n == 2 && place(1) < 0) {
    // The second variable takes the third place; what stands in the second does not matter.
    const std::uint8_t moved = reordered(table, {0, 2, 1});
    emit(LogicOp::select_memory, moved, target, target, memory_of(operands[order[1]].var));
  } else {
    const int first = n == 2 ? place(1) : target;
    emit(LogicOp::select, table, target, first, static_cast<std::uint32_t>(first));
  }

  for (std::size_t i = 0; i < n; ++i) {
    const Operand& operand = operands[i];
    if (operand.next_use != kNever) continue;
    const int held = register_of(operand.var);
    if (held >= 0) registers_[static_cast<std::size_t>(held)].used = false;
    if (operand.var < 0 && memory_of(operand.var) != kNever) free_vectors_.push_back(memory_of(operand.var));
  }
  const PlaneVar result = ~static_cast<PlaneVar>(at);
  registers_[static_cast<std::size_t>(target)] = {result, true};
  next_uses_[static_cast<std::size_t>(target)] = seen_steps_[at];
}

void RegisterAllocator::store_planes(const TreeSteps& tree, std::vector<std::uint32_t>& planes) {
  for (std::size_t i = 0; i < tree.planes.size(); ++i) {
    const PlaneVar plane = tree.planes[i];
    if (plane >= 0) {
      planes.push_back(static_cast<std::uint32_t>(plane));
      continue;
    }
    const std::uint32_t vector = n_predicates_ + static_cast<std::uint32_t>(i);
    int place = register_of(plane);
    if (place < 0) place = load(plane, 0);
    emit(LogicOp::store, 0, place, 0, vector);
    planes.push_back(vector);
  }
}

}  // namespace shortlist::trees
