// Where the library's remarks go. By default nowhere: the library never prints.
#pragma once

#include <functional>
#include <string_view>

namespace trustformers {

enum class LogLevel { debug, info, warning };
using LogSink = std::function<void(LogLevel, std::string_view)>;

/// Sets the process's sink (empty: silent). Safe to call from any thread.
void set_log_sink(LogSink sink);
void log(LogLevel level, std::string_view message);

}  // namespace trustformers
