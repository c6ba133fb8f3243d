// Any bytes are a safetensors file, whose tensors lie one after the other to its end, or give a typed error.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "weights/safetensors.h"

using namespace trustformers;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto header = parse_safetensors(std::as_bytes(std::span(data, size)), "fuzz");
    std::uint64_t end = size;
    for (auto entry = header.entries.rbegin(); entry != header.entries.rend(); ++entry) {
      if (entry->offset + entry->bytes != end) std::abort();
      end = entry->offset;
    }
    if (end < 8) std::abort();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::internal) std::abort();
  }
  return 0;
}
