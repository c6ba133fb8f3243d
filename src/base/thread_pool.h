// Pinned worker threads for short parallel phases, and the counters that make them deterministic.
#pragma once

#include <cstdint>
#include <memory>

#include "function_ref.h"

namespace trustformers {

/// Workers that spin briefly and then sleep, so that a phase of a few microseconds does not pay for a wake-up.
/// The calling thread is worker 0. Calls made from inside a worker run serially in that worker.
class ThreadPool {
 public:
  /// `threads` 0: TRUSTFORMERS_NUM_THREADS if set, else as many as the machine has free cores (affinity and cgroup
  /// quota respected). Never more than that many cores.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const;

  /// Splits [0, count) into contiguous ranges, at most one a worker and none shorter than `grain`, and calls
  /// `body(begin, end)` for each. Returns when all are done; the first exception thrown by a body is rethrown.
  void parallel_for(std::int64_t count, std::int64_t grain, FunctionRef<void(std::int64_t, std::int64_t)> body);

  /// Calls `body(begin, end)` for chunks of `chunk` taken from a shared counter: for uneven work.
  void parallel_chunks(std::int64_t count, std::int64_t chunk, FunctionRef<void(std::int64_t, std::int64_t)> body);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The number of cores this process may use (affinity and cgroup quota), at least 1.
int available_cores();

}  // namespace trustformers
