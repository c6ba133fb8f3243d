// Any bytes as a tokenizer.json: it is refused with an Error, or it encodes and decodes.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "tokenizers/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trustformers;
  try {
    const Tokenizer tokenizer = Tokenizer::from_json({reinterpret_cast<const char*>(data), size}, "fuzz");
    const Encoding encoding = tokenizer.encode(
        {"Hello, <s>w\xC3\xB6rld</s>  123\n\xE6\x97\xA5\xE6\x9C\xAC \xF0\x9F\x98\x80 e\xCC\x81\xFF", "it's"});
    tokenizer.decode(encoding.ids, true);
    DecodeStream stream(tokenizer);
    for (const TokenId id : encoding.ids) stream.push(id);
    stream.finish();
  } catch (const Error&) {
  }
  return 0;
}
