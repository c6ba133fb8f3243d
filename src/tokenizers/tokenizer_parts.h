// What a tokenizer is made of; internal to this room.
#pragma once

#include "added_tokens.h"
#include "decoders.h"
#include "normalizers.h"
#include "post_processors.h"
#include "pre_tokenizers.h"
#include "token_model.h"
#include "tokenizer.h"

namespace trustformers {

struct TokenizerParts {
  std::unique_ptr<Normalizer> normalizer;       // may be null
  std::unique_ptr<PreTokenizer> pre_tokenizer;  // may be null
  std::unique_ptr<TokenModel> model;
  std::unique_ptr<PostProcessor> post_processor;  // may be null
  std::unique_ptr<TokenDecoder> decoder;          // null: tokens joined by blanks
  AddedTokens added;
  SpecialTokens special;
  std::optional<Truncation> truncation;
  Padding padding;
  std::optional<std::size_t> model_max_length;
  bool clean_up_spaces = false;
  std::vector<std::string> model_input_names;
  std::map<std::string, std::string> chat_templates;

  /// Sets the added tokens, in whose content the normaliser must be in place already.
  void set_added(std::vector<AddedToken> tokens);
};

/// The parts that the text of a tokenizer.json describes; errors name `where`.
TokenizerParts parts_from_json(std::string_view text, std::string_view where);

}  // namespace trustformers
