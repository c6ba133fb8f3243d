#include "context.h"

#include <atomic>

#include "process_context.h"

namespace trustformers {
namespace {

thread_local Context* innermost = nullptr;
/// The threads asked for; `made` once there is no changing them.
constexpr int made = -1;
std::atomic<int> process_threads{0};

}  // namespace

Context::Context(int threads, std::unique_ptr<Device> cpu, std::unique_ptr<TapeRecorder> tape)
    : threads_(threads), cpu_(std::move(cpu)), tape_(std::move(tape)), default_device_(cpu_.get()) {}
Context::~Context() = default;

Context& Context::current() {
  if (innermost) return *innermost;
  // Never destroyed: tensors held by other static objects still need their device at exit.
  static Context* const process_default = make_context(process_threads.exchange(made)).release();
  return *process_default;
}

void set_process_threads(int threads) {
  check(threads >= 0, ErrorCode::invalid_argument, "[threads] expected 0 (all cores) or more, got ", threads);
  int before = process_threads.load();
  do {
    check(before != made, ErrorCode::invalid_argument,
          "[threads] the number of threads must be chosen before anything is computed");
  } while (!process_threads.compare_exchange_weak(before, threads));
}

ContextScope::ContextScope(Context& context) : before_(innermost) { innermost = &context; }
ContextScope::~ContextScope() { innermost = before_; }

}  // namespace trustformers
