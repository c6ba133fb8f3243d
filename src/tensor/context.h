// What the rest of the house runs on: the devices, the threads, the tape. One per process unless a test makes another.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "../base/thread_pool.h"
#include "device.h"

namespace trustformers {

/// Counts what the eager core asked of the system allocator; decode must not move it after warm-up.
struct AllocationCounters {
  std::int64_t storage_blocks = 0;  // blocks taken from the system, not from a pool
  std::int64_t storage_bytes = 0;   // bytes held now, pooled ones included
  std::int64_t tensor_objects = 0;  // Tensor objects taken from the system, not from a pool
};

class Context {
 public:
  /// The devices are made by backends/ (see make_default_context in backends/context.cpp).
  Context(int threads, std::unique_ptr<Device> cpu, std::unique_ptr<TapeRecorder> tape);
  ~Context();

  /// The context of this thread: the innermost ContextScope, else the process's default.
  static Context& current();

  ThreadPool& threads() { return threads_; }
  Device& cpu() { return *cpu_; }
  Device& default_device() { return *default_device_; }
  /// nullptr goes back to the CPU.
  void set_default_device(Device* device) { default_device_ = device ? device : cpu_.get(); }
  TapeRecorder& tape() { return *tape_; }

  /// Called around every dispatch when set: the name, and true at entry, false at exit.
  using Profiler = std::function<void(std::string_view op, bool enter)>;
  void set_profiler(Profiler profiler) { profiler_ = std::move(profiler); }
  const Profiler& profiler() const { return profiler_; }

  /// Called with the op's name when its decomposition runs because the device has no kernel. May throw to forbid it.
  using FallbackPolicy = std::function<void(std::string_view op)>;
  void set_fallback_policy(FallbackPolicy policy) { fallback_policy_ = std::move(policy); }
  const FallbackPolicy& fallback_policy() const { return fallback_policy_; }

 private:
  ThreadPool threads_;
  std::unique_ptr<Device> cpu_;
  std::unique_ptr<TapeRecorder> tape_;
  Device* default_device_;
  Profiler profiler_;
  FallbackPolicy fallback_policy_;
};

/// Makes a context current on this thread while it lives.
class ContextScope {
 public:
  explicit ContextScope(Context& context);
  ~ContextScope();
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;

 private:
  Context* before_;
};

/// A context with the CPU device of this build. `threads` as in ThreadPool. Defined in backends/context.cpp.
std::unique_ptr<Context> make_context(int threads = 0);
AllocationCounters allocation_counters();

}  // namespace trustformers
