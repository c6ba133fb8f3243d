// Tokenizers of one file each that is no tokenizer.json. Each follows the program that the file was made for; see
// Tokenizer for what they are.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "tokenizer_parts.h"

namespace trustformers {

struct SentencePieceModel;

TokenizerParts sentencepiece_parts(const SentencePieceModel& model);
TokenizerParts sentencepiece_parts(std::span<const std::byte> model, std::string_view where);
TokenizerParts tiktoken_parts(std::string_view ranks, std::string_view pattern,
                              std::span<const std::pair<std::string, TokenId>> special_tokens);
TokenizerParts tekken_parts(std::string_view json);
TokenizerParts rwkv_world_parts(std::string_view text);

}  // namespace trustformers
