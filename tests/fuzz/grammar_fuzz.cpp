// Any GBNF or regular expression (the first byte says which) either becomes a grammar whose masks lead through its
// texts or gives a typed error.
#include "base/error.h"
#include "grammar_walk.h"

using namespace trustformers;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    (void)fuzz::walk(data[0] % 2 == 0 ? Grammar::gbnf(text) : Grammar::regex(text), data[0], 40);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::internal) std::abort();
  }
  return 0;
}
