// Learning a vocabulary from texts: byte-pair encoding (Sennrich et al. 2016, arXiv:1508.07909), WordPiece and Unigram
// (Kudo 2018, arXiv:1804.10959), as the trainers of Hugging Face's tokenizers do it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../base/json.h"

namespace trustformers {

struct TrainingOptions {
  std::size_t vocab_size = 30000;               // special tokens and alphabet included
  std::uint64_t min_frequency = 0;              // pairs seen less often are not joined
  std::vector<std::string> special_tokens{};    // first in the vocabulary, in this order
  std::u32string initial_alphabet{};            // characters that belong to the vocabulary whether they are seen or not
  std::optional<std::size_t> limit_alphabet{};  // keep only so many characters, those seen most
  std::optional<std::size_t> max_token_length{};  // in characters; Unigram: 16 if absent
  std::string continuing_subword_prefix{};  // before every character but a word's first; "##" for WordPiece if empty
  std::string end_of_word_suffix{};         // after a word's last character
  // Of Unigram alone.
  std::string unk_token{};          // for what no piece spells; first in the vocabulary unless a special token
  double shrinking_factor = 0.75;   // what a round of pruning keeps
  std::size_t em_steps = 2;         // between two rounds
  std::size_t seed_size = 1000000;  // repeated texts to begin with, at most
};

/// The alphabet of byte-level pre-tokenizers: GPT-2's characters for the 256 bytes.
std::u32string byte_level_alphabet();

/// Learns model.vocab (and model.merges) for a tokenizer described like a tokenizer.json: "normalizer",
/// "pre_tokenizer", "post_processor" and "decoder" as there or absent, "model": {"type": "BPE", "WordPiece" or
/// "Unigram", …}. Gives the complete tokenizer.json, for Tokenizer::from_json or a file. Deterministic: pairs seen
/// equally often are joined in the order of their ids. Unigram ignores min_frequency, limit_alphabet and the prefix and
/// suffix of words. Errors: parse and unsupported, as from_json; invalid_argument, when vocab_size has no room for the
/// special tokens and the alphabet.
Json train_tokenizer(const Json& description, std::span<const std::string> texts, const TrainingOptions& options = {});

}  // namespace trustformers
