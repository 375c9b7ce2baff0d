#include "telemetry/counters.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "base/error.hpp"
#include "base/xxh64.hpp"

namespace shortlist::telemetry {
namespace {

using Cell = std::atomic<std::uint64_t>;
static_assert(Cell::is_always_lock_free && sizeof(Cell) == 8);

// Threads are spread over slots so that they rarely write the same cache line; a shared slot is still counted
// right.
constexpr std::size_t kSlots = 16;
constexpr std::size_t kNames = 128;
constexpr std::size_t kNameBytes = 64;
constexpr std::uint64_t kLayout = 0x53484f5254000002ULL;  // "SHORT", layout 2

[[nodiscard]] std::size_t slot_of_thread() noexcept {
  static std::atomic<std::size_t> threads{0};
  // Processes that share the memory start at different slots.
  thread_local const std::size_t slot =
      (threads.fetch_add(1, std::memory_order_relaxed) + static_cast<std::size_t>(::getpid())) % kSlots;
  return slot;
}

void add(Cell& cell, std::uint64_t value) noexcept { cell.fetch_add(value, std::memory_order_relaxed); }
[[nodiscard]] std::uint64_t read(const Cell& cell) noexcept { return cell.load(std::memory_order_relaxed); }

struct HistogramCells {
  Cell sum_ns;
  std::array<Cell, kBuckets> buckets;
};
struct RouteCells {
  Cell requests;
  Cell errors;
  std::array<HistogramCells, kStageNames.size()> stages;
};
struct alignas(64) Slot {
  std::array<RouteCells, kRouteNames.size()> routes;
  Cell fallbacks;
};
// A name is published once its hash is set and its bytes are complete, which its size tells.
struct NameCells {
  Cell hash;
  Cell size_plus_1;
  Cell count;
  char bytes[kNameBytes];
};

}  // namespace

// All zero is a valid empty state, so fresh pages of the operating system need no initialisation.
struct Counters::Page {
  Cell layout;
  Cell uncounted_names;
  std::array<NameCells, kNames> names;
  std::array<Slot, kSlots> slots;
};

std::size_t bucket_of(std::uint64_t ns) noexcept {
  if (ns < (std::uint64_t{1} << kFirstPower)) return 0;
  const auto power = static_cast<std::size_t>(std::bit_width(ns)) - 1;
  if (power >= kLastPower) return kBuckets - 1;
  const std::size_t step = (ns >> (power - 4)) & 15;
  return 1 + (power - kFirstPower) * 16 + step;
}

std::uint64_t bucket_limit_ns(std::size_t bucket) noexcept {
  if (bucket == 0) return std::uint64_t{1} << kFirstPower;
  if (bucket >= kBuckets - 1) return UINT64_MAX;
  const std::size_t power = kFirstPower + (bucket - 1) / 16;
  return (std::uint64_t{17} + (bucket - 1) % 16) << (power - 4);
}

Counters::Counters(const std::string& path) {
  const auto fail = [&](const char* what) {
    throw Error(ErrorCode::io, "counters " + path + ": " + what + ": " + std::strerror(errno));
  };
  int file = -1;
  if (!path.empty()) {
    file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) fail("cannot be opened");
    struct stat status{};
    const bool sized =
        ::fstat(file, &status) == 0 && (status.st_size == static_cast<off_t>(sizeof(Page)) ||
                                        (status.st_size == 0 && ::ftruncate(file, sizeof(Page)) == 0));
    if (!sized) {
      ::close(file);
      throw Error(ErrorCode::mismatch, "counters " + path + ": not a counters file of this version");
    }
  }
  void* mapped = ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE,
                        path.empty() ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED, file, 0);
  const int error = errno;
  if (file >= 0) ::close(file);
  errno = error;
  if (mapped == MAP_FAILED) fail("cannot be mapped");
  page_ = static_cast<Page*>(mapped);
  std::uint64_t layout = 0;
  if (!page_->layout.compare_exchange_strong(layout, kLayout) && layout != kLayout) {
    ::munmap(mapped, sizeof(Page));
    page_ = nullptr;
    throw Error(ErrorCode::mismatch, "counters " + path + ": not a counters file of this version");
  }
}

Counters::~Counters() { ::munmap(page_, sizeof(Page)); }

void Counters::count_request(Route route, const StageTimes& times) noexcept {
  RouteCells& cells = page_->slots[slot_of_thread()].routes[static_cast<std::size_t>(route)];
  add(cells.requests, 1);
  for (std::size_t stage = 0; stage < times.size(); ++stage) {
    if (times[stage] == 0) continue;
    add(cells.stages[stage].sum_ns, times[stage]);
    add(cells.stages[stage].buckets[bucket_of(times[stage])], 1);
  }
}

void Counters::count_error(Route route) noexcept {
  RouteCells& cells = page_->slots[slot_of_thread()].routes[static_cast<std::size_t>(route)];
  add(cells.requests, 1);
  add(cells.errors, 1);
}

void Counters::count_fallback() noexcept { add(page_->slots[slot_of_thread()].fallbacks, 1); }

void Counters::count_unknown_attribute(std::string_view name) noexcept {
  if (name.size() > kNameBytes) {
    std::size_t cut = kNameBytes;
    while (cut > 0 && (static_cast<unsigned char>(name[cut]) & 0xC0) == 0x80) --cut;  // whole characters only
    name = name.substr(0, cut);
  }
  const std::uint64_t hash = xxh64(name) | 1;
  for (std::size_t probe = 0; probe < kNames; ++probe) {
    NameCells& cells = page_->names[(hash + probe) % kNames];
    std::uint64_t present = cells.hash.load(std::memory_order_acquire);
    if (present == 0 && cells.hash.compare_exchange_strong(present, hash, std::memory_order_acq_rel)) {
      std::memcpy(cells.bytes, name.data(), name.size());
      cells.size_plus_1.store(name.size() + 1, std::memory_order_release);
      present = hash;
    }
    if (present == hash) return add(cells.count, 1);
  }
  add(page_->uncounted_names, 1);
}

Snapshot Counters::snapshot() const {
  Snapshot result;
  for (const Slot& slot : page_->slots) {
    for (std::size_t route = 0; route < slot.routes.size(); ++route) {
      const RouteCells& from = slot.routes[route];
      RouteSnapshot& to = result.routes[route];
      to.requests += read(from.requests);
      to.errors += read(from.errors);
      for (std::size_t stage = 0; stage < from.stages.size(); ++stage) {
        to.stages[stage].sum_ns += read(from.stages[stage].sum_ns);
        for (std::size_t b = 0; b < kBuckets; ++b) {
          const std::uint64_t count = read(from.stages[stage].buckets[b]);
          to.stages[stage].buckets[b] += count;
          to.stages[stage].count += count;
        }
      }
    }
    result.fallbacks += read(slot.fallbacks);
  }
  for (const NameCells& cells : page_->names) {
    const std::uint64_t size_plus_1 = cells.size_plus_1.load(std::memory_order_acquire);
    if (size_plus_1 == 0 || size_plus_1 > kNameBytes + 1) continue;
    result.unknown_attributes.emplace_back(std::string(cells.bytes, size_plus_1 - 1), read(cells.count));
  }
  result.uncounted_unknown_attributes = read(page_->uncounted_names);
  std::sort(result.unknown_attributes.begin(), result.unknown_attributes.end());
  return result;
}

}  // namespace shortlist::telemetry
