#include "model_folder.h"

#include <algorithm>

#include "scanners.h"
#include "tokenizer_files.h"
#include "tokenizer_recipes.h"
#include "vocabulary_files.h"

namespace trustformers {
namespace {

/// A token of tokenizer_config.json: its content, or an object with its flags.
AddedToken read_token(const Json& json, std::string_view key) {
  AddedToken token;
  token.special = true;
  token.normalized = false;
  if (!json.is_object()) {
    token.content = json.as_string(key);
    return token;
  }
  const Spec spec(json, std::string(key));
  token.content = spec.text("content");
  token.single_word = spec.flag("single_word", false);
  token.lstrip = spec.flag("lstrip", false);
  token.rstrip = spec.flag("rstrip", false);
  token.special = spec.flag("special", true);
  token.normalized = spec.flag("normalized", !token.special);
  return token;
}

/// Added tokens in the order in which they get ids.
class TokenList {
 public:
  explicit TokenList(const Vocabulary& vocabulary) : vocabulary_(vocabulary) {}

  void add(AddedToken token) {
    if (token.content.empty() || find(token.content)) return;
    token.id = vocabulary_.find(token.content);
    if (token.id < 0) {
      const auto size = static_cast<TokenId>(vocabulary_.size());
      TokenId most = -1;
      for (const AddedToken& other : tokens_) most = std::max(most, other.id);
      token.id = most >= size ? most + 1 : size;
    }
    tokens_.push_back(std::move(token));
  }
  const AddedToken* find(std::string_view content) const {
    for (const AddedToken& token : tokens_)
      if (token.content == content) return &token;
    return nullptr;
  }
  std::vector<AddedToken> take() { return std::move(tokens_); }

 private:
  const Vocabulary& vocabulary_;
  std::vector<AddedToken> tokens_;
};

/// Tokens that the files add by id: added_tokens_decoder, or the older added_tokens.json.
std::vector<AddedToken> read_added(const FileSet& folder, const Json& config) {
  std::vector<AddedToken> out;
  if (const Json* const table = config.find("added_tokens_decoder"); table && table->is_object()) {
    for (const auto& [id, token] : table->as_object()) {
      out.push_back(read_token(token, "added_tokens_decoder"));
      out.back().id =
          static_cast<TokenId>(Json::parse(id, "added_tokens_decoder").as_int("added_tokens_decoder") & 0x7FFFFFFF);
    }
  } else if (const auto text = folder.read("added_tokens.json")) {
    const Json table_of_ids = Json::parse(*text, "added_tokens.json");
    for (const auto& [content, id] : table_of_ids.as_object("added_tokens.json")) {
      AddedToken token;
      token.content = content;
      token.id = static_cast<TokenId>(id.as_int("added_tokens.json") & 0x7FFFFFFF);
      token.normalized = false;
      out.push_back(std::move(token));
    }
  }
  std::sort(out.begin(), out.end(), [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  return out;
}

TokenizerParts assemble(Recipe recipe, const FileSet& folder, const Json& config) {
  TokenizerParts parts;
  parts.model = std::move(recipe.model);
  const auto given = [](const Json& json) { return !json.is_null(); };
  if (given(recipe.normalizer)) parts.normalizer = make_normalizer(Spec(recipe.normalizer, "normalizer"));
  if (given(recipe.pre_tokenizer))
    parts.pre_tokenizer = make_pre_tokenizer(Spec(recipe.pre_tokenizer, "pre_tokenizer"));
  if (given(recipe.decoder)) parts.decoder = make_decoder(Spec(recipe.decoder, "decoder"));
  if (recipe.own_normalizer) parts.normalizer = std::move(recipe.own_normalizer);
  if (recipe.own_decoder) parts.decoder = std::move(recipe.own_decoder);

  TokenList tokens(parts.model->vocabulary());
  for (AddedToken& token : read_added(folder, config)) tokens.add(std::move(token));
  Json roles = Json::object();
  for (const Role& role : recipe.roles) {
    const Json* const own = config.find(role.key);
    AddedToken token;
    if (own && !own->is_null()) {
      token = read_token(*own, role.key);
      token.special = true;
    } else {
      token = read_token(Json(role.content), role.key);
      token.lstrip = role.lstrip;
    }
    roles.set(role.key, token.content);
    tokens.add(std::move(token));
  }
  for (AddedToken& token : recipe.more) tokens.add(std::move(token));
  for (const char* const key : {"additional_special_tokens", "extra_special_tokens"})
    if (const Json* const list = config.find(key); list && list->is_array())
      for (const Json& token : list->as_array(key)) tokens.add(read_token(token, key));

  const auto role_of = [&](std::string_view key) {
    const Json* const content = roles.find(key);
    return content ? content->as_string(key) : std::string();
  };
  const auto id_of = [&](const std::string& content) {
    const AddedToken* const token = tokens.find(content);
    const TokenId id = token ? token->id : parts.model->vocabulary().find(content);
    check(id >= 0, ErrorCode::parse, "[tokenizer] the special token \"", content, "\" is not in the vocabulary");
    return id;
  };
  const auto asked = [&](const char* key) {
    const Json* const value = config.find(key);
    return value && value->is_bool() && value->as_bool();
  };
  if (recipe.post_processor) {
    parts.post_processor = make_post_processor(Spec(recipe.post_processor(role_of, id_of), "post_processor"));
  } else {
    std::vector<std::string> before, after;
    if (asked("add_bos_token") && !role_of("bos_token").empty()) before.push_back(role_of("bos_token"));
    if (asked("add_eos_token") && !role_of("eos_token").empty()) after.push_back(role_of("eos_token"));
    std::vector<std::string> between = after;
    between.insert(between.end(), before.begin(), before.end());
    parts.post_processor =
        make_post_processor(Spec(template_post_processor(before, after, between, 1, id_of), "post_processor"));
  }
  const std::pair<std::string_view, std::optional<TokenId> SpecialTokens::*> members[] = {
      {"bos_token", &SpecialTokens::bos},  {"eos_token", &SpecialTokens::eos}, {"unk_token", &SpecialTokens::unk},
      {"sep_token", &SpecialTokens::sep},  {"pad_token", &SpecialTokens::pad}, {"cls_token", &SpecialTokens::cls},
      {"mask_token", &SpecialTokens::mask}};
  for (const auto& [key, member] : members)
    if (const std::string content = role_of(key); !content.empty()) parts.special.*member = id_of(content);
  parts.padding.direction = recipe.padding_side;
  if (parts.special.pad) {
    parts.padding.pad_id = *parts.special.pad;
    parts.padding.pad_token = role_of("pad_token");
  }
  parts.set_added(tokens.take());
  return parts;
}

std::string class_name(const FileSet& folder, const Json& config) {
  std::string name;
  if (const Json* const given = config.find("tokenizer_class"); given && given->is_string()) name = given->as_string();
  if (const auto text = name.empty() ? folder.read("config.json") : std::nullopt) {
    const Json model = Json::parse(*text, "config.json");
    if (const Json* const type = model.find("model_type"); type && type->is_string())
      name = class_of_model_type(type->as_string());
  }
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  return name;
}

struct NamedText {
  std::string name, text;
};

/// The first of these files that is there.
std::optional<NamedText> find_file(const FileSet& folder, std::initializer_list<const char*> names) {
  for (const char* const name : names)
    if (auto text = folder.read(name)) return NamedText{name, std::move(*text)};
  return std::nullopt;
}

/// The first file, by name, that begins and ends so.
std::optional<NamedText> find_like(const FileSet& folder, std::string_view begin, std::string_view end) {
  for (const std::string& name : folder.list(""))
    if (name.starts_with(begin) && name.ends_with(end))
      if (auto text = folder.read(name)) return NamedText{name, std::move(*text)};
  return std::nullopt;
}

TokenizerParts read_tiktoken(const NamedText& file, const FileSet& folder, std::string_view name, const Json& config) {
  std::vector<std::pair<std::string, TokenId>> special;
  for (const AddedToken& token : read_added(folder, config)) special.emplace_back(token.content, token.id);
  return tiktoken_parts(file.text, name == "QWenTokenizer" ? qwen2_pattern : llama3_pattern, special);
}

}  // namespace

TokenizerParts parts_from_folder(const FileSet& folder, const Json& config) {
  FolderVocabulary files;
  const std::string name = class_name(folder, config);
  if (const auto file = find_file(folder, {"vocab.txt"})) files.tokens = read_vocab_txt(file->text);
  if (const auto file = find_file(folder, {"vocab.json"})) files.tokens = read_vocab_json(file->text);
  const auto merges = find_file(folder, {"merges.txt"});
  if (merges) files.merges = read_merges_txt(merges->text);
  const auto model = find_file(folder, {"tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "spm.model",
                                        "sentencepiece.model", "source.spm"});
  if (model) files.sentencepiece = read_sentencepiece_model(std::as_bytes(std::span(model->text)), model->name);
  if (auto recipe = find_recipe(name, files, config)) return assemble(std::move(*recipe), folder, config);
  if (const auto file = find_like(folder, "tekken", ".json")) return tekken_parts(file->text);
  if (const auto file = find_like(folder, "", ".tiktoken")) return read_tiktoken(*file, folder, name, config);
  if (const auto file = find_like(folder, "rwkv_vocab", ".txt")) return rwkv_world_parts(file->text);
  if (model && name.empty()) return sentencepiece_parts(std::as_bytes(std::span(model->text)), "sentencepiece model");
  check(!files.tokens && !files.sentencepiece, ErrorCode::unsupported, "[tokenizer] tokenizer_class \"", name,
        "\" cannot be made of the files in ", folder.describe());
  fail(ErrorCode::not_found, "[tokenizer] tokenizer.json or an older vocabulary expected in ", folder.describe(),
       ", but it is not there");
}

}  // namespace trustformers
