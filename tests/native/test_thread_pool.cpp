// parallel_for: every task once, exceptions kept, safe from several threads, within a task and after fork().
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/thread_pool.hpp"
#include "check.hpp"

using shortlist::parallel_for;

#if defined(__SANITIZE_THREAD__)
// The forked child starts threads on purpose.
extern "C" const char* __tsan_default_options() { return "die_after_fork=0"; }
#endif

namespace {

bool each_once(std::size_t n_tasks, std::size_t n_threads) {
  std::vector<std::atomic<int>> runs(n_tasks);
  parallel_for(n_tasks, n_threads, [&](std::size_t i) { ++runs[i]; });
  for (const auto& count : runs) {
    if (count != 1) return false;
  }
  return true;
}

}  // namespace

TEST_CASE(every_task_runs_once) {
  for (const std::size_t n_tasks : {0, 1, 2, 3, 100, 5000}) {
    for (const std::size_t n_threads : {0, 1, 2, 3, 8, 1000}) CHECK(each_once(n_tasks, n_threads));
  }
}

TEST_CASE(the_first_exception_reaches_the_caller_and_the_pool_works_on) {
  for (int round = 0; round < 50; ++round) {
    CHECK_THROWS(parallel_for(100, 4,
                              [](std::size_t i) {
                                if (i % 10 == 3) throw std::runtime_error("task");
                              }),
                 std::runtime_error, std::string(error.what()) == "task");
    CHECK(each_once(64, 4));
  }
}

TEST_CASE(several_callers_and_nested_calls_share_the_pool) {
  std::atomic<std::size_t> sum{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      for (int round = 0; round < 100; ++round) {
        parallel_for(4, 3, [&](std::size_t) { parallel_for(8, 3, [&](std::size_t i) { sum += i; }); });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK_EQ(sum.load(), std::size_t{4 * 100 * 4 * 28});
}

TEST_CASE(a_forked_child_has_a_pool_of_its_own) {
  CHECK(each_once(100, 4));
  const pid_t child = fork();
  if (child == 0) _exit(each_once(100, 4) ? 0 : 1);
  int status = -1;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  CHECK(each_once(100, 4));
}
