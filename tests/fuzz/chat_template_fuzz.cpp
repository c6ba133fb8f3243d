// Any template either renders within its limits or gives a typed error.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "tokenizers/chat_template.h"

using namespace trustformers;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Json messages = Json::parse(
      R"([{"role": "user", "content": "Hi \u00e9"},
          {"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f", "arguments": {"a": [1, 2.5]}}}]}])");
  ChatTemplateOptions options;
  options.add_generation_prompt = true;
  options.limits = {.steps = 20000, .bytes = 1 << 22, .output = 1 << 18, .depth = 100};
  try {
    (void)ChatTemplate::parse({reinterpret_cast<const char*>(data), size}).apply(messages, options);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::internal) std::abort();
  }
  return 0;
}
