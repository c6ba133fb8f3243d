// The formats of JSON Schema that can be enforced.
#pragma once

#include <string_view>

#include "automaton.h"

namespace trustformers {

/// Texts of a format (RFC 3339 dates, RFC 4122 UUIDs, ...). Throws unsupported, naming the format.
DfaPtr format_language(std::string_view format);

}  // namespace trustformers
