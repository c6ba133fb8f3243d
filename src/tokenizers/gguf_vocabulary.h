// The tokenizer that a GGUF file carries in its metadata, as plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vocabulary.h"

namespace trustformers {

/// Field x is the key tokenizer.ggml.x; what a file lacks stays empty.
struct GgufVocabulary {
  std::string model;  // gpt2 (byte-level BPE), llama (sentencepiece BPE), bert (WordPiece), t5 (Unigram)
  std::string pre;    // of gpt2: how the text is cut
  std::vector<std::string> tokens;
  std::vector<float> scores;
  std::vector<std::int32_t> token_types;  // 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte
  std::vector<std::string> merges;        // "left right"
  std::optional<TokenId> bos, eos, unk, sep, pad, cls, mask;
  std::optional<bool> add_bos, add_eos, add_space_prefix, remove_extra_whitespaces;
  std::string precompiled_charsmap;  // of t5; bytes
  std::string chat_template;
};

}  // namespace trustformers
