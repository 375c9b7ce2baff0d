// Request counters and stage latencies in memory that worker processes may share: writers never wait.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace shortlist::telemetry {

enum class Route : std::uint8_t { rank, score };
inline constexpr std::array<std::string_view, 2> kRouteNames = {"rank", "score"};

enum class Stage : std::uint8_t { parse, user, retrieve, features, score, select, serialise, total };
inline constexpr std::array<std::string_view, 8> kStageNames = {"parse", "user",   "retrieve",  "features",
                                                                "score", "select", "serialise", "total"};

// Log-linear buckets: 16 to each power of two from 256 ns to 2^34 ns (17 s), one below and one above; 4.4 %
// wide at the middle, so a quantile read from them is off by at most 6.25 %.
inline constexpr std::size_t kFirstPower = 8;
inline constexpr std::size_t kLastPower = 34;
inline constexpr std::size_t kBuckets = (kLastPower - kFirstPower) * 16 + 2;
[[nodiscard]] std::size_t bucket_of(std::uint64_t ns) noexcept;
// Values of a bucket are below this many nanoseconds; UINT64_MAX for the last.
[[nodiscard]] std::uint64_t bucket_limit_ns(std::size_t bucket) noexcept;

// Nanoseconds of the stages that ran, 0 where one did not run.
using StageTimes = std::array<std::uint64_t, kStageNames.size()>;

struct Histogram {
  std::uint64_t count = 0;
  std::uint64_t sum_ns = 0;
  std::array<std::uint64_t, kBuckets> buckets{};
};

struct RouteSnapshot {
  std::uint64_t requests = 0;  // errors included
  std::uint64_t errors = 0;
  std::array<Histogram, kStageNames.size()> stages;
};

struct Snapshot {
  std::array<RouteSnapshot, kRouteNames.size()> routes;
  std::uint64_t fallbacks = 0;
  std::uint64_t uncounted_unknown_attributes = 0;  // names beyond the table's room
  std::vector<std::pair<std::string, std::uint64_t>> unknown_attributes;
};

class Counters {
 public:
  // An empty path: memory of this process and those it forks. Else a file, made or shared where it exists.
  // Throws io; mismatch where the file was made by another version.
  explicit Counters(const std::string& path);
  ~Counters();
  Counters(const Counters&) = delete;
  Counters& operator=(const Counters&) = delete;

  void count_request(Route route, const StageTimes& times) noexcept;
  void count_error(Route route) noexcept;
  void count_fallback() noexcept;
  void count_unknown_attribute(std::string_view name) noexcept;
  // Merged over all threads and processes that share the memory.
  [[nodiscard]] Snapshot snapshot() const;

 private:
  struct Page;
  Page* page_ = nullptr;
};

}  // namespace shortlist::telemetry
