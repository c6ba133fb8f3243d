#include "log.h"

#include <memory>
#include <mutex>
#include <utility>

namespace trustformers {
namespace {

struct Sink {
  std::mutex mutex;
  std::shared_ptr<const LogSink> function;
};

// Never destroyed: remarks may still come while the process ends.
Sink& sink() {
  static auto* const instance = new Sink;
  return *instance;
}

}  // namespace

void set_log_sink(LogSink function) {
  auto next = function ? std::make_shared<const LogSink>(std::move(function)) : nullptr;
  const std::lock_guard lock(sink().mutex);
  sink().function.swap(next);
}

void log(LogLevel level, std::string_view message) {
  std::shared_ptr<const LogSink> function;
  {
    const std::lock_guard lock(sink().mutex);
    function = sink().function;
  }
  // Called outside the lock, so that a sink may itself log or set another sink.
  if (function) (*function)(level, message);
}

}  // namespace trustformers
