// Any bytes either parse, and then write and read back to the same value, or give a parse error.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "base/json.h"

using trustformers::Error;
using trustformers::ErrorCode;
using trustformers::Json;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  try {
    const Json value = Json::parse(
        text, "fuzz",
        {.max_depth = 64, .allow_duplicate_keys = (data[0] & 1) != 0, .allow_non_finite = (data[0] & 2) != 0});
    const std::string written = value.dump((data[0] & 4) != 0 ? 2 : -1);
    // The text again, as NaN is not equal to itself.
    if (Json::parse(written).dump((data[0] & 4) != 0 ? 2 : -1) != written) std::abort();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::parse) std::abort();
  }
  return 0;
}
