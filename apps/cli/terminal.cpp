#include "terminal.h"

#include <csignal>
#include <cstdio>
#include <iostream>
#include <iterator>

#if defined(_WIN32)
#include <io.h>
#define isatty _isatty
#define fileno _fileno
#else
#include <unistd.h>
#endif

namespace trustformers::cli {
namespace {
const CancelToken* interrupted = nullptr;

void on_interrupt(int) {
  if (interrupted) interrupted->cancel();  // sets a lock-free flag, which a signal handler may do
  std::signal(SIGINT, SIG_DFL);
}
}  // namespace

ProgressLine::ProgressLine() : terminal_(isatty(fileno(stderr)) != 0) {}

ProgressLine::~ProgressLine() {
  if (shown_) std::cerr << "\r\033[K" << std::flush;
}

ProgressCallback ProgressLine::callback() {
  if (!terminal_) return {};
  return [this](const ProgressEvent& event) {
    const int percent = event.total > 0 ? static_cast<int>(100 * event.done / event.total) : 0;
    if (percent == last_percent_) return;
    last_percent_ = percent;
    shown_ = true;
    std::cerr << "\r\033[K" << event.stage << " " << percent << " %" << std::flush;
  };
}

Interruptible::Interruptible() {
  interrupted = &token_;
  std::signal(SIGINT, on_interrupt);
}

Interruptible::~Interruptible() {
  std::signal(SIGINT, SIG_DFL);
  interrupted = nullptr;
}

bool stdin_is_terminal() { return isatty(fileno(stdin)) != 0; }

std::string read_stdin() { return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()}; }

std::string human_bytes(double bytes) {
  static constexpr const char* units[] = {"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (bytes >= 1000 && unit + 1 < std::size(units)) {
    bytes /= 1000;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
  return text;
}

}  // namespace trustformers::cli
