// The vocabularies of older model folders, as they lie in files.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vocabulary.h"

namespace trustformers {

/// vocab.txt: a token a line, its id is the line's number from 0.
Vocabulary read_vocab_txt(std::string_view text);
/// vocab.json: {token: id}.
Vocabulary read_vocab_json(std::string_view text);
/// merges.txt: "left right" a line, perhaps after a line that begins with #version. The pairs are parts of `text`.
std::vector<std::pair<std::string_view, std::string_view>> read_merges_txt(std::string_view text);

/// Tokens of any bytes with their ranks.
using Ranks = std::vector<std::pair<std::string, std::int64_t>>;
/// A tiktoken file: "base64 rank" a line.
Ranks read_tiktoken(std::string_view text);
/// RWKV's world vocabulary: "id 'text' bytes" or "id b'bytes' bytes" a line, in Python's notation.
Ranks read_rwkv_world(std::string_view text);

}  // namespace trustformers
