// Errors, remarks, progress: what the library tells its caller.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "base/progress.h"

namespace trustformers {
namespace {

TEST_CASE("base: errors carry a code, a message and the context added on the way out") {
  try {
    with_context([] { return "while opening model.safetensors"; },
                 [] {
                   with_context(
                       [] { return str("while loading layer ", 3); },
                       [] { check(1 == 2, ErrorCode::shape_mismatch, "[linear] expected ", 64, ", got ", 32); });
                 });
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::shape_mismatch);
    CHECK(error.message() == "[linear] expected 64, got 32");
    CHECK(error.context() == std::vector<std::string>{"while loading layer 3", "while opening model.safetensors"});
    CHECK(std::string(error.what()) ==
          "[linear] expected 64, got 32\n  while loading layer 3\n  while opening model.safetensors");
  }
  CHECK(with_context([] { return "unused"; }, [] { return 7; }) == 7);
  CHECK(to_string(ErrorCode::out_of_memory) == "out_of_memory");
}

TEST_CASE("base: remarks go to the sink that is set, also one that logs or changes the sink itself") {
  std::vector<std::string> lines;
  log(LogLevel::warning, "nobody hears this");
  set_log_sink([&](LogLevel level, std::string_view line) {
    lines.emplace_back(line);
    if (level == LogLevel::warning) log(LogLevel::info, "seen");
    if (level == LogLevel::debug) set_log_sink({});
  });
  log(LogLevel::warning, "first");
  log(LogLevel::debug, "last");
  log(LogLevel::info, "after");
  CHECK(lines == std::vector<std::string>{"first", "seen", "last"});
}

TEST_CASE("base: a cancelled token stops work in all its copies") {
  const CancelToken token;
  const CancelToken copy = token;
  copy.check("generate");
  token.cancel();
  CHECK(copy.cancelled());
  try {
    copy.check("generate");
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::cancelled);
    CHECK(error.message() == "[generate] cancelled by the caller");
  }
}

}  // namespace
}  // namespace trustformers
