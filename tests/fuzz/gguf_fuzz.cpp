// Any bytes are a GGUF file, whose metadata can be read and whose tensors lie inside it, or give a typed error.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "weights/gguf.h"

using namespace trustformers;

namespace {

/// Reads a value as what it is.
void read(const GgufValue& value) {
  if (value.is_array())
    for (const GgufValue& element : value.as_values()) read(element);
  else if (value.type() == GgufType::string)
    value.as_string();
  else if (value.type() == GgufType::boolean)
    value.as_bool();
  else
    value.as_double();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const GgufHeader header = parse_gguf(std::as_bytes(std::span(data, size)), "fuzz");
    for (const GgufValue& value : header.metadata.values()) read(value);
    for (const TensorEntry& entry : header.entries)
      if (entry.offset > size || entry.bytes > size - entry.offset) std::abort();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::internal) std::abort();
  }
  return 0;
}
