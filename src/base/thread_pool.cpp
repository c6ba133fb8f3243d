#include "thread_pool.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "error.h"
#include "system.h"

namespace trustformers {
namespace {

/// About 50 microseconds: longer than the serial gaps between the phases of a token, shorter than a sleep would cost.
constexpr int spin_pauses = 2000;

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) && !defined(_MSC_VER)
  asm volatile("yield");
#endif
}

/// Waits until `value` differs from `old`: spins briefly, then sleeps in the system.
std::uint32_t wait_for_change(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  for (int i = 0; i < spin_pauses; ++i) {
    if (const auto now = value.load(std::memory_order_acquire); now != old) return now;
    pause();
  }
  for (;;) {
    if (const auto now = value.load(std::memory_order_acquire); now != old) return now;
    system::wait(value, old);
  }
}

/// True while this thread runs a body: calls it makes then run serially.
thread_local bool inside_body = false;

struct InsideBody {
  InsideBody() { inside_body = true; }
  ~InsideBody() { inside_body = false; }
};

int wanted_threads(int threads) {
  check(threads >= 0, ErrorCode::invalid_argument, "[thread_pool] threads must be 0 (all cores) or more, got ",
        threads);
  const int cores = available_cores();
  if (threads == 0) {
    const char* const text = std::getenv("TRUSTFORMERS_NUM_THREADS");
    if (text == nullptr || *text == '\0') return cores;
    const char* const end = text + std::strlen(text);
    const auto [stop, error] = std::from_chars(text, end, threads);
    check(error == std::errc{} && stop == end && threads > 0, ErrorCode::invalid_argument,
          "[thread_pool] TRUSTFORMERS_NUM_THREADS must be a positive number, got \"", text, "\"");
  }
  return std::min(threads, cores);
}

}  // namespace

int available_cores() {
  static const int cores = system::allowed_cores();
  return cores;
}

struct ThreadPool::Impl {
  using Task = FunctionRef<void(int)>;  // called with the number of the part

  /// What the caller hands to one worker. A cache line each, so that a worker's spinning disturbs no other.
  struct alignas(64) Mailbox {
    std::atomic<std::uint32_t> ticket{0};
    const Task* task = nullptr;  // published by ticket; nullptr: the end
  };

  explicit Impl(int thread_count) : threads(thread_count) {}

  ~Impl() {
    for (std::size_t i = 0; i < workers.size(); ++i) post(i, nullptr);
    for (auto& worker : workers) worker.join();
  }

  void start() {
    started = true;
    const bool pinned = system::fills_affinity(threads);
    const int home = system::current_core();
    mailboxes = std::vector<Mailbox>(static_cast<std::size_t>(threads - 1));
    try {
      for (int i = 1; i < threads; ++i)
        workers.emplace_back([this, i, pinned, home] {
          if (pinned) system::pin_this_thread(home, i);
          work(i);
        });
    } catch (const std::system_error&) {
      // The system gives no more threads: those that exist do the work.
    }
  }

  void post(std::size_t worker, const Task* task) {
    Mailbox& box = mailboxes[worker];
    box.task = task;
    // Sequentially consistent, as wake() then looks whether somebody sleeps.
    box.ticket.fetch_add(1);
    system::wake(box.ticket);
  }

  void work(int number) {
    const InsideBody inside;
    Mailbox& box = mailboxes[static_cast<std::size_t>(number - 1)];
    for (std::uint32_t seen = 0;;) {
      seen = wait_for_change(box.ticket, seen);
      if (box.task == nullptr) return;
      run_part(*box.task, number);
      // After this the task may be gone; `pending` belongs to the pool, which outlives its workers.
      if (pending.fetch_sub(1) == 1) system::wake(pending);
    }
  }

  void run_part(const Task& task, int part) {
    try {
      task(part);
    } catch (...) {
      const std::lock_guard lock(error_mutex);
      if (!error) error = std::current_exception();
    }
  }

  /// Runs parts 0..count-1, one a worker (count <= what `begin` returned); rethrows the first exception.
  void run(int count, Task task) {
    pending.store(static_cast<std::uint32_t>(count - 1), std::memory_order_relaxed);
    for (int i = 1; i < count; ++i) post(static_cast<std::size_t>(i - 1), &task);
    {
      const InsideBody inside;
      run_part(task, 0);
    }
    for (auto left = pending.load(std::memory_order_acquire); left != 0;) left = wait_for_change(pending, left);
    if (error) std::rethrow_exception(std::exchange(error, nullptr));
  }

  const int threads;
  std::mutex busy;  // one parallel call at a time; another caller runs serially meanwhile
  bool started = false;
  std::vector<Mailbox> mailboxes;
  std::vector<std::thread> workers;
  alignas(64) std::atomic<std::uint32_t> pending{0};
  std::mutex error_mutex;
  std::exception_ptr error;
};

ThreadPool::ThreadPool(int threads) : impl_(std::make_unique<Impl>(wanted_threads(threads))) {}
ThreadPool::~ThreadPool() = default;

int ThreadPool::threads() const { return impl_->threads; }

void ThreadPool::parallel_for(std::int64_t count, std::int64_t grain,
                              FunctionRef<void(std::int64_t, std::int64_t)> body) {
  if (count <= 0) return;
  const auto most = std::clamp<std::int64_t>(count / std::max<std::int64_t>(grain, 1), 1, impl_->threads);
  if (most == 1 || inside_body) return body(0, count);
  const std::unique_lock lock(impl_->busy, std::try_to_lock);
  if (!lock) return body(0, count);
  if (!impl_->started) impl_->start();
  const auto parts = std::min(most, static_cast<std::int64_t>(impl_->workers.size()) + 1);
  const std::int64_t size = count / parts, longer = count % parts;  // the first `longer` ranges have one more
  auto range = [&](int part) {
    const std::int64_t begin = part * size + std::min<std::int64_t>(part, longer);
    body(begin, begin + size + (part < longer ? 1 : 0));
  };
  impl_->run(static_cast<int>(parts), range);
}

void ThreadPool::parallel_chunks(std::int64_t count, std::int64_t chunk,
                                 FunctionRef<void(std::int64_t, std::int64_t)> body) {
  if (count <= 0) return;
  chunk = std::clamp<std::int64_t>(chunk, 1, count);
  const std::int64_t chunks = count / chunk + (count % chunk != 0 ? 1 : 0);
  std::atomic<std::int64_t> next{0};
  auto take = [&](int) {
    try {
      for (std::int64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < chunks;)
        body(i * chunk, i == chunks - 1 ? count : (i + 1) * chunk);
    } catch (...) {
      next.store(chunks, std::memory_order_relaxed);  // nobody starts another chunk
      throw;
    }
  };
  const auto most = std::min<std::int64_t>(chunks, impl_->threads);
  if (most == 1 || inside_body) return take(0);
  const std::unique_lock lock(impl_->busy, std::try_to_lock);
  if (!lock) return take(0);
  if (!impl_->started) impl_->start();
  impl_->run(static_cast<int>(std::min(most, static_cast<std::int64_t>(impl_->workers.size()) + 1)), take);
}

}  // namespace trustformers
