// Any JSON Schema either becomes a grammar of JSON texts or gives a typed error.
#include "base/error.h"
#include "base/json.h"
#include "grammar_walk.h"

using namespace trustformers;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text;
  try {
    text = fuzz::walk(Grammar::json_schema({reinterpret_cast<const char*>(data), size}),
                      static_cast<std::uint32_t>(size), 60);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::internal) std::abort();
    return 0;
  }
  if (!text.empty()) (void)Json::parse(text);  // what does not parse is a finding
  return 0;
}
