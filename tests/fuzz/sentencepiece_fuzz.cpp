// Any bytes as a sentencepiece model: refused with an Error, or it encodes and decodes.
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/error.h"
#include "tokenizers/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trustformers;
  try {
    const Tokenizer tokenizer = Tokenizer::from_sentencepiece(std::as_bytes(std::span(data, size)), "fuzz");
    const Encoding encoding =
        tokenizer.encode("Hello,  <s>w\xC3\xB6rld</s> 123\n\xE6\x97\xA5\xE6\x9C\xAC \xF0\x9F\x98\x80 e\xCC\x81\xFF ");
    tokenizer.decode(encoding.ids, true);
  } catch (const Error&) {
  }
  return 0;
}
