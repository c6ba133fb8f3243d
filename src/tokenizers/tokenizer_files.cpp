#include "tokenizer_files.h"

#include "../base/utf8.h"
#include "byte_ranks.h"
#include "scored_bpe.h"
#include "sentencepiece_model.h"
#include "sentencepiece_normalizer.h"
#include "unigram.h"

namespace trustformers {
namespace {

using Model = SentencePieceModel;

Json built_in(std::string_view text) { return Json::parse(text, "built-in"); }

AddedToken special_token(std::string content, TokenId id) {
  AddedToken token;
  token.content = std::move(content);
  token.id = id;
  token.normalized = false;
  token.special = true;
  return token;
}

Vocabulary vocabulary_of(const Model& model) {
  std::vector<Vocabulary::Entry> entries;
  for (const Model::Piece& piece : model.pieces)
    entries.emplace_back(piece.text, static_cast<std::int64_t>(entries.size()));
  Vocabulary vocabulary;
  vocabulary.add(entries, "sentencepiece");
  return vocabulary;
}

std::unique_ptr<TokenModel> token_model_of(const Model& model, const std::shared_ptr<const Trie>& user_defined) {
  if (model.type == Model::Type::unigram) {
    std::vector<UnigramPiece> pieces;
    std::vector<bool> hidden;
    for (const Model::Piece& piece : model.pieces) {
      pieces.emplace_back(piece.text, static_cast<double>(piece.score));
      hidden.push_back(piece.type != Model::normal && piece.type != Model::user_defined);
    }
    return std::make_unique<Unigram>(pieces, model.unk_id, model.byte_fallback, hidden);
  }
  check(model.type == Model::Type::bpe, ErrorCode::unsupported,
        "[tokenizer] sentencepiece models of whole words or single characters are not supported");
  std::vector<float> scores;
  for (const Model::Piece& piece : model.pieces) scores.push_back(piece.score);
  return std::make_unique<ScoredBpe>(vocabulary_of(model), std::move(scores),
                                     ScoredBpeOptions{.unk_id = model.unk_id, .fuse_unk = true, .whole = user_defined});
}

/// Pieces to text: marks are blanks, save one at the front of a piece while there is no text yet.
class SentencePieceDecoder final : public TokenDecoder {
 public:
  explicit SentencePieceDecoder(const Model& model)
      : unk_surface_(model.unk_surface),
        strip_first_(model.add_dummy_prefix || model.remove_extra_whitespaces),
        strip_more_(model.remove_extra_whitespaces) {
    if (model.unk_id >= 0) unk_piece_ = model.pieces[static_cast<std::size_t>(model.unk_id)].text;
  }
  void apply(std::vector<std::string>& tokens) const override {
    bool first = strip_first_;
    for (std::string& token : tokens) {
      if (token == unk_piece_) {
        token = unk_surface_;
      } else {
        if (first && token.starts_with(mark)) token.erase(0, mark.size());
        for (std::size_t at = 0; (at = token.find(mark, at)) != std::string::npos;) token.replace(at, mark.size(), " ");
      }
      first = first && strip_more_ && token.empty();
    }
    bytes_->apply(tokens);
  }

 private:
  static constexpr std::string_view mark = "\xE2\x96\x81";
  std::string unk_piece_, unk_surface_;
  bool strip_first_, strip_more_;
  std::unique_ptr<TokenDecoder> bytes_ = make_decoder(
      Spec(built_in(R"({"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Fuse"}]})"), "decoder"));
};

/// `special A`, `special A special B`
std::unique_ptr<PostProcessor> begin_with(const std::string& token, TokenId id) {
  const Json special = Json::Object{{"SpecialToken", Json::Object{{"id", token}, {"type_id", 0}}}};
  const auto text = [](const char* name) -> Json {
    return Json::Object{{"Sequence", Json::Object{{"id", name}, {"type_id", 0}}}};
  };
  const Json table =
      Json::Object{{token, Json::Object{{"id", token}, {"ids", Json::Array{id}}, {"tokens", Json::Array{token}}}}};
  const Json spec = Json::Object{{"type", "TemplateProcessing"},
                                 {"single", Json::Array{special, text("A")}},
                                 {"pair", Json::Array{special, text("A"), special, text("B")}},
                                 {"special_tokens", table}};
  return make_post_processor(Spec(spec, "post_processor"));
}

void cut_by(TokenizerParts& parts, std::string_view pattern) {
  Json::Array steps;
  steps.push_back(
      Json::Object{{"type", "Split"}, {"pattern", Json::Object{{"Regex", pattern}}}, {"behavior", "Isolated"}});
  steps.push_back(Json::Object{{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}});
  const Json spec = Json::Object{{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
  parts.pre_tokenizer = make_pre_tokenizer(Spec(spec, "pattern"));
  parts.decoder = make_decoder(Spec(built_in(R"({"type":"ByteLevel"})"), "decoder"));
}

}  // namespace

TokenizerParts sentencepiece_parts(std::span<const std::byte> bytes, std::string_view where) {
  return sentencepiece_parts(read_sentencepiece_model(bytes, where));
}

TokenizerParts sentencepiece_parts(const Model& model) {
  TokenizerParts parts;
  std::vector<Trie::Key> keys;
  std::vector<AddedToken> added;
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    const Model::Piece& piece = model.pieces[id];
    if (piece.type == Model::user_defined) keys.emplace_back(piece.text, static_cast<TokenId>(id));
    if (piece.type == Model::control) added.push_back(special_token(piece.text, static_cast<TokenId>(id)));
  }
  std::shared_ptr<const Trie> user_defined;
  if (!keys.empty()) user_defined = std::make_shared<const Trie>(keys);
  parts.model = token_model_of(model, user_defined);
  SentencePieceRules rules;
  if (!model.charsmap.empty()) rules.map.emplace(model.charsmap, "precompiled_charsmap");
  rules.add_prefix = model.add_dummy_prefix;
  rules.remove_extra = model.remove_extra_whitespaces;
  rules.prefix_is_suffix = model.whitespace_as_suffix;
  rules.keep = user_defined;
  parts.normalizer = std::make_unique<SentencePieceNormalizer>(std::move(rules));
  parts.decoder = std::make_unique<SentencePieceDecoder>(model);
  const auto role = [](std::int32_t id) { return id < 0 ? std::nullopt : std::optional(id); };
  parts.special.unk = role(model.unk_id);
  parts.special.bos = role(model.bos_id);
  parts.special.eos = role(model.eos_id);
  parts.special.pad = role(model.pad_id);
  if (parts.special.pad) {
    parts.padding.pad_id = *parts.special.pad;
    parts.padding.pad_token = model.pieces[static_cast<std::size_t>(*parts.special.pad)].text;
  }
  parts.set_added(std::move(added));
  return parts;
}

TokenizerParts tiktoken_parts(std::string_view ranks, std::string_view pattern,
                              std::span<const std::pair<std::string, TokenId>> special) {
  TokenizerParts parts;
  parts.model = make_ranked_bpe(read_tiktoken(ranks), 0, {});
  cut_by(parts, pattern);
  std::vector<AddedToken> added;
  for (const auto& [content, id] : special) added.push_back(special_token(content, id));
  parts.set_added(std::move(added));
  return parts;
}

TokenizerParts tekken_parts(std::string_view text) {
  const Json json = Json::parse(text, "tekken.json");
  const Spec root(json, "tekken.json");
  const Spec config = root.at("config");
  // Ids count the special tokens first: those of the file, and fillers up to as many as the configuration says.
  std::vector<std::pair<std::string, TokenId>> special;
  const std::size_t special_count = config.size("default_num_special_tokens", 1000);
  check(special_count <= 1 << 20, ErrorCode::parse, "[tekken.json] config.default_num_special_tokens is ",
        special_count);
  if (root.has("special_tokens")) {
    for (const Spec& entry : root.list("special_tokens")) {
      const std::size_t rank = entry.size("rank");
      check(rank < special_count, ErrorCode::parse, "[tekken.json] ", entry.path_of("rank"), " must be less than ",
            special_count, ", got ", rank);
      special.emplace_back(entry.text("token_str"), static_cast<TokenId>(rank));
    }
  } else {  // the first files have none: these stand for themselves
    constexpr std::string_view names[] = {"<unk>",
                                          "<s>",
                                          "</s>",
                                          "[INST]",
                                          "[/INST]",
                                          "[AVAILABLE_TOOLS]",
                                          "[/AVAILABLE_TOOLS]",
                                          "[TOOL_RESULTS]",
                                          "[/TOOL_RESULTS]",
                                          "[TOOL_CALLS]",
                                          "[IMG]",
                                          "<pad>",
                                          "[IMG_BREAK]",
                                          "[IMG_END]",
                                          "[PREFIX]",
                                          "[MIDDLE]",
                                          "[SUFFIX]",
                                          "[SYSTEM_PROMPT]",
                                          "[/SYSTEM_PROMPT]",
                                          "[TOOL_CONTENT]"};
    for (const std::string_view name : names)
      special.emplace_back(std::string(name), static_cast<TokenId>(special.size()));
  }
  std::vector<bool> taken(special_count);
  for (const auto& entry : special) taken[static_cast<std::size_t>(entry.second)] = true;
  for (std::size_t id = 0; id < special_count; ++id)
    if (!taken[id]) special.emplace_back(str("<SPECIAL_", id, ">"), static_cast<TokenId>(id));

  const std::vector<Spec> entries = root.list("vocab");
  std::size_t count = entries.size();
  if (config.has("default_vocab_size")) {
    const std::size_t all = config.size("default_vocab_size");
    check(all >= special_count, ErrorCode::parse, "[tekken.json] config.default_vocab_size must be at least the ",
          special_count, " special tokens, got ", all);
    count = std::min(count, all - special_count);
  }
  Ranks ranks;
  ranks.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    ranks.emplace_back(decode_base64(entries[i].text("token_bytes"), "tekken.json"), static_cast<std::int64_t>(i));

  TokenizerParts parts;
  parts.model = make_ranked_bpe(ranks, static_cast<TokenId>(special_count), special);
  cut_by(parts, config.text("pattern"));
  std::vector<AddedToken> added;
  const std::pair<std::string_view, std::optional<TokenId> SpecialTokens::*> roles[] = {{"<s>", &SpecialTokens::bos},
                                                                                        {"</s>", &SpecialTokens::eos},
                                                                                        {"<unk>", &SpecialTokens::unk},
                                                                                        {"<pad>", &SpecialTokens::pad}};
  for (const auto& [content, id] : special) {
    added.push_back(special_token(content, id));
    for (const auto& [name, member] : roles)
      if (content == name) parts.special.*member = id;
  }
  if (parts.special.bos) parts.post_processor = begin_with("<s>", *parts.special.bos);
  if (parts.special.pad) parts.padding = {.pad_id = *parts.special.pad, .pad_token = "<pad>"};
  parts.set_added(std::move(added));
  return parts;
}

TokenizerParts rwkv_world_parts(std::string_view text) {
  TokenizerParts parts;
  parts.model = make_longest_match(read_rwkv_world(text));
  parts.normalizer = make_normalizer(Spec(built_in(R"({"type":"ByteLevel"})"), "normalizer"));
  parts.decoder = make_decoder(Spec(built_in(R"({"type":"ByteLevel"})"), "decoder"));
  parts.set_added({special_token("<|endoftext|>", 0)});  // has no line of its own
  parts.special.bos = parts.special.eos = parts.special.pad = 0;
  parts.padding.pad_token = "<|endoftext|>";
  return parts;
}

namespace {

Tokenizer share(TokenizerParts parts) { return Tokenizer(std::make_shared<const TokenizerParts>(std::move(parts))); }

}  // namespace

Tokenizer Tokenizer::from_sentencepiece(std::span<const std::byte> model, std::string_view where) {
  return share(sentencepiece_parts(model, where));
}
Tokenizer Tokenizer::from_tiktoken(std::string_view ranks, std::string_view pattern,
                                   std::span<const std::pair<std::string, TokenId>> special_tokens) {
  return share(tiktoken_parts(ranks, pattern, special_tokens));
}
Tokenizer Tokenizer::from_tekken(std::string_view json) { return share(tekken_parts(json)); }
Tokenizer Tokenizer::from_rwkv_world(std::string_view text) { return share(rwkv_world_parts(text)); }

}  // namespace trustformers
