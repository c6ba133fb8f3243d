// What the program shows while it works, and how it is interrupted.
#pragma once

#include <string>

#include <trustformers/trustformers.h>

namespace trustformers::cli {

/// Writes a progress line to stderr when that is a terminal, else nothing; the line is wiped at the end.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ProgressCallback callback();

 private:
  bool terminal_;
  bool shown_ = false;
  int last_percent_ = -1;
};

/// While one lives, Ctrl-C cancels its token instead of ending the program; the second Ctrl-C ends it.
class Interruptible {
 public:
  Interruptible();
  ~Interruptible();
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;
  const CancelToken& token() const { return token_; }

 private:
  CancelToken token_;
};

/// True when a person types on stdin.
bool stdin_is_terminal();
/// All of stdin.
std::string read_stdin();
/// "1.2 GB"
std::string human_bytes(double bytes);

}  // namespace trustformers::cli
