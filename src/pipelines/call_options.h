// The options of one call of a pipeline: a JSON object of which every word must be known to somebody.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../base/json.h"

namespace trustformers {

/// Reads options one by one. Errors: invalid_argument, "[task] expected "top_k" to be a whole number, got …".
class CallOptions {
 public:
  /// Errors: invalid_argument when `options` is no object. Both must outlive this.
  CallOptions(const Json& options, std::string_view task);

  /// Sets `value` when there is such an option and it is not null.
  void operator()(std::string_view name, bool& value);
  void operator()(std::string_view name, std::int64_t& value);
  void operator()(std::string_view name, double& value);
  void operator()(std::string_view name, std::string& value);
  /// A text stands for a list of one.
  void operator()(std::string_view name, std::vector<std::string>& value);
  template <class T>
  void operator()(std::string_view name, std::optional<T>& value) {
    if (given(name)) (*this)(name, value.emplace());
  }
  /// A whole number from `least` on.
  void at_least(std::int64_t least, std::string_view name, std::int64_t& value);
  /// The option as it is, or nullptr.
  const Json* find(std::string_view name);
  /// There is such an option, and it is not null.
  bool given(std::string_view name);

  [[noreturn]] void fail_type(std::string_view name, std::string_view expected) const;
  std::string_view task() const { return task_; }

  /// Those that nobody read.
  Json rest() const;
  /// Throws invalid_argument when somebody gave an option that nobody read; lists the known ones.
  void finish() const;

 private:
  const Json& options_;
  std::string_view task_;
  std::vector<std::string_view> known_;
};

/// `over` put on top of `base`, both objects.
Json merged_options(const Json& base, const Json& over);

}  // namespace trustformers
