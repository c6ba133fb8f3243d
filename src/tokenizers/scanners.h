// Hand-written equivalents of the pre-tokenizer patterns that most published models use, many times faster than a
// regular expression engine and linear on any text.
#pragma once

#include <cstddef>
#include <string_view>

namespace trustformers {

/// The end of the match that starts at `position` (< text.size()); these patterns match everywhere.
using Scanner = std::size_t (*)(std::string_view text, std::size_t position);

/// GPT-2's pattern, which the ByteLevel pre-tokenizer uses by itself.
extern const std::string_view gpt2_pattern;
/// cl100k and Llama 3: digits in groups of up to three.
extern const std::string_view llama3_pattern;
/// Qwen 2: as Llama 3 with single digits.
extern const std::string_view qwen2_pattern;
/// GPT-4o (o200k): words split where lower case turns to upper case.
extern const std::string_view gpt4o_pattern;

/// The scanner equal to `pattern`, or nullptr.
Scanner find_scanner(std::string_view pattern);

}  // namespace trustformers
