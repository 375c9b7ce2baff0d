#include "base/thread_pool.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

namespace shortlist::detail {
namespace {

constexpr std::size_t kMaxWorkers = 256;

// One parallel_for, on its caller's stack, linked into the queue while it still wants helpers.
struct Job {
  std::size_t n_tasks;
  TaskFunction function;
  void* task;
  std::atomic<std::size_t> next_task{0};
  std::exception_ptr error;  // the first one; guarded by the pool's mutex
  std::size_t wanted = 0;    // helpers not yet come; guarded, as are the next two
  std::size_t active = 0;    // helpers at work
  Job* next = nullptr;

  Job(std::size_t n, TaskFunction f, void* t) : n_tasks(n), function(f), task(t) {}
};

class Pool {
 public:
  void run(Job& job, std::size_t helpers) {
    {
      const std::lock_guard lock(mutex_);
      start_workers(helpers);
      job.wanted = std::min(helpers, n_workers_);
      if (job.wanted > 0) enqueue(job);
    }
    work_.notify_all();
    work_on(job);
    std::unique_lock lock(mutex_);
    if (job.wanted > 0) unlink(job);
    done_.wait(lock, [&] { return job.active == 0; });
    if (job.error) std::rethrow_exception(job.error);
  }

  std::mutex& mutex() { return mutex_; }

 private:
  // The caller does the work alone where the system grants no more threads.
  void start_workers(std::size_t helpers) {
    while (n_workers_ < std::min(helpers, kMaxWorkers)) {
      try {
        std::thread([this] { serve(); }).detach();
      } catch (const std::system_error&) {
        return;
      }
      ++n_workers_;
    }
  }

  void serve() {
    std::unique_lock lock(mutex_);
    while (true) {
      work_.wait(lock, [&] { return first_ != nullptr; });
      Job& job = *first_;
      ++job.active;
      if (--job.wanted == 0) unlink(job);
      lock.unlock();
      work_on(job);
      lock.lock();
      if (--job.active == 0) done_.notify_all();
    }
  }

  void work_on(Job& job) {
    for (std::size_t i; (i = job.next_task.fetch_add(1, std::memory_order_relaxed)) < job.n_tasks;) {
      try {
        job.function(job.task, i);
      } catch (...) {
        job.next_task.store(job.n_tasks, std::memory_order_relaxed);
        const std::lock_guard lock(mutex_);
        if (!job.error) job.error = std::current_exception();
      }
    }
  }

  void enqueue(Job& job) {
    Job** end = &first_;
    while (*end != nullptr) end = &(*end)->next;
    *end = &job;
  }
  void unlink(Job& job) {
    job.wanted = 0;
    Job** link = &first_;
    while (*link != &job) link = &(*link)->next;
    *link = job.next;
  }

  std::mutex mutex_;
  std::condition_variable work_;  // a job wants helpers
  std::condition_variable done_;  // a helper has left a job
  Job* first_ = nullptr;
  std::size_t n_workers_ = 0;
};

// Never destroyed: workers may still wait in it while the process ends.
std::atomic<Pool*> pool{nullptr};

// The child of a fork has only the thread that forked: it starts afresh with a pool without workers, and the
// parent's, in whatever state it was copied, is left alone.
void before_fork() { pool.load()->mutex().lock(); }
void in_parent() { pool.load()->mutex().unlock(); }
void in_child() { pool.store(new Pool); }

Pool& shared_pool() {
  static std::once_flag once;
  std::call_once(once, [] {
    pool.store(new Pool);
    pthread_atfork(before_fork, in_parent, in_child);
  });
  return *pool.load();
}

}  // namespace

void run_on_pool(std::size_t n_tasks, std::size_t n_threads, TaskFunction function, void* task) {
  Job job(n_tasks, function, task);
  shared_pool().run(job, std::min(n_threads, n_tasks) - 1);
}

}  // namespace shortlist::detail
