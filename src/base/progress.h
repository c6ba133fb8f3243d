// How long work reports and how it is stopped.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

namespace trustformers {

struct ProgressEvent {
  std::string_view stage;  // "load", "download", "train", ...
  std::string_view item;   // the file, tensor or step
  std::int64_t done = 0;   // in units of `total`
  std::int64_t total = 0;  // 0: unknown
};

using ProgressCallback = std::function<void(const ProgressEvent&)>;

/// A flag that one thread sets and long work polls. Copies share the flag.
class CancelToken {
 public:
  CancelToken() : flag_(std::make_shared<std::atomic<bool>>(false)) {}
  void cancel() const { flag_->store(true, std::memory_order_relaxed); }
  bool cancelled() const { return flag_->load(std::memory_order_relaxed); }
  /// Throws ErrorCode::cancelled once cancel() was called.
  void check(std::string_view what) const;

 private:
  std::shared_ptr<std::atomic<bool>> flag_;
};

}  // namespace trustformers
