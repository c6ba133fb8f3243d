// What a generation can be told in text once a tokenizer is at hand: grammars, stop strings, drafts by a model with
// another tokenizer.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "../tokenizers/tokenizer.h"
#include "config.h"
#include "grammar/grammar.h"
#include "grammar/token_trie.h"

namespace trustformers {

/// The vocabulary as grammars need it. Takes a moment: make it once a tokenizer.
std::shared_ptr<const TokenTrie> token_trie(const Tokenizer& tokenizer);

/// Keeps what `config` generates to the grammar; the text ends where it is complete and the model wants no more. May be
/// called for several grammars: the text is then of all. Throws invalid_argument when `config` has no end token.
void constrain(GenerationConfig& config, std::shared_ptr<const TokenTrie> vocabulary, Grammar grammar);
/// The same for one generation.
void constrain(GenerationConfig& config, const Tokenizer& tokenizer, Grammar grammar);

/// The settings that ask for a grammar: json_schema (the schema, or its text), grammar (GBNF), regex, choices (texts),
/// json (true).
std::span<const std::string_view> grammar_settings();
/// The grammar that one of them, a member of `settings`, asks for; nothing when none is there. Throws invalid_argument
/// when there are several.
std::optional<Grammar> grammar_of(const Json& settings);

/// Makes config.stop_strings rules: a text ends with the token that completes one of them.
void apply_stop_strings(GenerationConfig& config, const Tokenizer& tokenizer);

/// Proposals of a smaller model that has another tokenizer: it reads and continues the same text. All three must
/// outlive the source. As with every draft the tokens are those of plain decoding.
DraftSource draft_through_text(const Model& assistant, const Tokenizer& its_tokenizer, const Tokenizer& tokenizer);

}  // namespace trustformers
