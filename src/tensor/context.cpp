#include "context.h"

namespace trustformers {
namespace {
thread_local Context* innermost = nullptr;
}

Context::Context(int threads, std::unique_ptr<Device> cpu, std::unique_ptr<TapeRecorder> tape)
    : threads_(threads), cpu_(std::move(cpu)), tape_(std::move(tape)), default_device_(cpu_.get()) {}
Context::~Context() = default;

Context& Context::current() {
  if (innermost) return *innermost;
  // Never destroyed: tensors held by other static objects still need their device at exit.
  static Context* const process_default = make_context().release();
  return *process_default;
}

ContextScope::ContextScope(Context& context) : before_(innermost) { innermost = &context; }
ContextScope::~ContextScope() { innermost = before_; }

}  // namespace trustformers
