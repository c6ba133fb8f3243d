// How each class of tokenizer in transformers is put together from its vocabulary.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../base/json.h"
#include "added_tokens.h"
#include "decoders.h"
#include "encoding.h"
#include "normalizers.h"
#include "sentencepiece_model.h"
#include "token_model.h"

namespace trustformers {

/// What the folder's files gave.
struct FolderVocabulary {
  std::optional<Vocabulary> tokens;                                   // vocab.txt or vocab.json
  std::vector<std::pair<std::string_view, std::string_view>> merges;  // merges.txt
  std::optional<SentencePieceModel> sentencepiece;
};

/// A token with a role, as `bos_token`, and whether it takes the blanks before it.
struct Role {
  std::string key;
  std::string content;
  bool lstrip = false;
};

struct Recipe {
  std::unique_ptr<TokenModel> model;
  Json normalizer, pre_tokenizer, decoder;  // as in tokenizer.json; null: none
  // Instead of those above, where tokenizer.json has no such thing.
  std::unique_ptr<Normalizer> own_normalizer;
  std::unique_ptr<TokenDecoder> own_decoder;
  Side padding_side = Side::right;
  std::vector<Role> roles;
  std::vector<AddedToken> more;  // other added tokens; ids are looked up
  /// The post-processor, given the token of a role and the id of a token; empty: bos and eos as add_bos_token and
  /// add_eos_token ask.
  using Lookup = std::function<TokenId(const std::string& token)>;
  using RoleOf = std::function<std::string(std::string_view key)>;
  std::function<Json(const RoleOf&, const Lookup&)> post_processor;
};

/// The recipe for a class name without "Fast"; nullopt when it is not known here or needs other files than there are.
std::optional<Recipe> find_recipe(std::string_view name, FolderVocabulary& files, const Json& config);

/// The class that transformers takes for a model_type when tokenizer_config.json names none; "" when unknown.
std::string_view class_of_model_type(std::string_view model_type);

/// `before A after`, and for two texts `before A between… B after`, where a text's own type is `second_type`.
Json template_post_processor(const std::vector<std::string>& before, const std::vector<std::string>& after,
                             const std::vector<std::string>& between, int second_type, const Recipe::Lookup& id_of);

}  // namespace trustformers
