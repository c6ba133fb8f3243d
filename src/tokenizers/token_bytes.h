// What each token adds to a text, as bytes.
#pragma once

#include <string>
#include <vector>

#include "tokenizer.h"

namespace trustformers {

/// The bytes that each id below the largest stands for behind other text: blanks that the decoder writes before a word
/// included, parts of characters as the bytes they are. Special tokens and ids without a token have none.
std::vector<std::string> token_bytes(const Tokenizer& tokenizer);

}  // namespace trustformers
