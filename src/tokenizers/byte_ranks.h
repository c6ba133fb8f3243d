// Vocabularies of byte strings with ranks (tiktoken, tekken, RWKV) as vocabularies of characters: each byte is written
// in GPT-2's alphabet.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "token_model.h"
#include "vocabulary_files.h"

namespace trustformers {

/// Bytes in the alphabet of byte_character().
std::string in_byte_alphabet(std::string_view bytes);

/// Byte pairs joined by the rank of their union, lowest first, as tiktoken does; a piece that is a token is taken
/// whole. The id of a token is `first_id` + rank. `more` are tokens that no text gives, by content and id.
std::unique_ptr<TokenModel> make_ranked_bpe(const Ranks& ranks, TokenId first_id,
                                            const std::vector<std::pair<std::string, TokenId>>& more);

/// The longest token first, from left to right (RWKV world); ids are the ranks.
std::unique_ptr<TokenModel> make_longest_match(const Ranks& ranks);

}  // namespace trustformers
