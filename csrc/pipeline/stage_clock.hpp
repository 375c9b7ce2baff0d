// Times the stages of one request.
#pragma once

#include <ctime>

#include "telemetry/counters.hpp"

namespace shortlist::pipeline {

class StageClock {
 public:
  StageClock() noexcept : start_(now()), last_(start_) {}

  // What ran since the last mark was this stage.
  void mark(telemetry::Stage stage) noexcept {
    const std::uint64_t time = now();
    times_[static_cast<std::size_t>(stage)] += time - last_;
    last_ = time;
  }
  [[nodiscard]] telemetry::StageTimes finish() noexcept {
    times_[static_cast<std::size_t>(telemetry::Stage::total)] = now() - start_;
    return times_;
  }

 private:
  [[nodiscard]] static std::uint64_t now() noexcept {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u +
           static_cast<std::uint64_t>(time.tv_nsec);
  }

  std::uint64_t start_;
  std::uint64_t last_;
  telemetry::StageTimes times_{};
};

}  // namespace shortlist::pipeline
