// The one pool of worker threads: started when first needed, whole again after fork().
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>

namespace shortlist {

// Calls task(i) for every i in [0, n_tasks), each once, on up to n_threads threads: the calling one and
// helpers from the pool. Returns when all are done. The first exception stops the handing out of tasks and is
// thrown here. May be called from several threads at once, and from within a task: the caller always works
// too, so it never waits for a free helper. The pool has at most 256 workers. With one thread or one task no
// pool is needed and none is started.
template <class Task>
void parallel_for(std::size_t n_tasks, std::size_t n_threads, Task&& task);

namespace detail {
using TaskFunction = void (*)(void* task, std::size_t index);
void run_on_pool(std::size_t n_tasks, std::size_t n_threads, TaskFunction function, void* task);
}  // namespace detail

template <class Task>
void parallel_for(std::size_t n_tasks, std::size_t n_threads, Task&& task) {
  if (n_tasks <= 1 || n_threads <= 1) {
    for (std::size_t i = 0; i < n_tasks; ++i) task(i);
    return;
  }
  using Plain = std::remove_reference_t<Task>;
  void* erased = const_cast<std::remove_const_t<Plain>*>(std::addressof(task));
  detail::run_on_pool(
      n_tasks, n_threads, [](void* t, std::size_t i) { (*static_cast<Plain*>(t))(i); }, erased);
}

}  // namespace shortlist
