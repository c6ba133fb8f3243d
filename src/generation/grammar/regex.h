// Regular expressions as ECMA-262 writes them (what JSON Schema's `pattern` means), as far as they are regular.
#pragma once

#include <string_view>

#include "automaton.h"

namespace trustformers {

/// How a pattern meets a text: somewhere in it, as `pattern` of JSON Schema, or as a whole.
enum class RegexMatch { somewhere, whole };

/// The UTF-8 texts that match. Alternatives, groups, classes, escapes (\d \w \s \xHH \uHHHH \u{H}), quantifiers (lazy
/// ones mean the same) and anchors are known. Errors: parse for what is no pattern, unsupported naming what is not
/// regular or not known here: look-around, back-references, word boundaries, Unicode properties.
Dfa regex_language(std::string_view pattern, RegexMatch match);

/// All valid UTF-8.
const Dfa& every_text();

}  // namespace trustformers
