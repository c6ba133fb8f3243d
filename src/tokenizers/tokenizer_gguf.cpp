#include "../base/utf8.h"
#include "bpe.h"
#include "gguf_pre_tokenizer.h"
#include "gguf_vocabulary.h"
#include "scored_bpe.h"
#include "sentencepiece_model.h"
#include "sentencepiece_normalizer.h"
#include "tokenizer_parts.h"
#include "unigram.h"
#include "word_piece.h"

namespace trustformers {
namespace {

using Piece = SentencePieceModel;  // GGUF numbers the types of tokens as SentencePiece does

constexpr std::string_view mark = "\xE2\x96\x81";  // U+2581

std::int32_t type_of(const GgufVocabulary& given, std::size_t id) {
  return id < given.token_types.size() ? given.token_types[id] : Piece::normal;
}

/// The tokens with what is not UTF-8 in them replaced, so that all texts inside are valid.
std::vector<std::string> valid_tokens(const GgufVocabulary& given) {
  std::vector<std::string> tokens;
  tokens.reserve(given.tokens.size());
  for (const std::string& token : given.tokens)
    tokens.push_back(is_valid_utf8(token) ? token : replace_invalid_utf8(token));
  return tokens;
}

Vocabulary make_vocabulary(const std::vector<std::string>& tokens) {
  std::vector<Vocabulary::Entry> entries;
  entries.reserve(tokens.size());
  for (std::size_t id = 0; id < tokens.size(); ++id) entries.emplace_back(tokens[id], static_cast<std::int64_t>(id));
  Vocabulary vocabulary;
  vocabulary.add(entries, "tokenizer.ggml.tokens");
  return vocabulary;
}

Json sequence(std::string_view list, Json::Array parts) {
  return Json::Object{{"type", "Sequence"}, {std::string(list), std::move(parts)}};
}
Json replace(std::string_view what, std::string_view by) {
  return Json::Object{{"type", "Replace"}, {"pattern", Json::Object{{"String", what}}}, {"content", by}};
}

void build_byte_level(const GgufVocabulary& given, TokenizerParts& parts, bool& add_bos) {
  const GgufPreTokenizer pre = gguf_pre_tokenizer(given.pre);
  BpeOptions options;
  options.ignore_merges = pre.ignore_merges;
  auto bpe = std::make_unique<Bpe>(make_vocabulary(valid_tokens(given)), options);
  std::vector<Bpe::Pair> pairs;
  pairs.reserve(given.merges.size());
  for (const std::string& merge : given.merges) {
    const std::size_t blank = merge.find(' ', 1);  // the left part is not empty, but may begin with anything
    check(blank != std::string::npos, ErrorCode::parse,
          "[tokenizer] tokenizer.ggml.merges: \"left right\" expected, got \"", merge, '"');
    pairs.emplace_back(std::string_view(merge).substr(0, blank), std::string_view(merge).substr(blank + 1));
  }
  bpe->add_merges(pairs);
  parts.model = std::move(bpe);
  Json::Array cuts;
  for (const std::string_view pattern : pre.patterns)
    cuts.push_back(
        Json::Object{{"type", "Split"}, {"pattern", Json::Object{{"Regex", pattern}}}, {"behavior", "Isolated"}});
  cuts.push_back(Json::Object{
      {"type", "ByteLevel"}, {"add_prefix_space", given.add_space_prefix.value_or(false)}, {"use_regex", false}});
  parts.pre_tokenizer = make_pre_tokenizer(Spec(sequence("pretokenizers", std::move(cuts)), "tokenizer.ggml.pre"));
  parts.decoder = make_decoder(Spec(Json::Object{{"type", "ByteLevel"}}, "decoder"));
  add_bos = given.add_bos.value_or(pre.add_bos);
}

void build_sentencepiece_bpe(const GgufVocabulary& given, TokenizerParts& parts) {
  const bool prefix = given.add_space_prefix.value_or(true);
  parts.model = std::make_unique<ScoredBpe>(make_vocabulary(valid_tokens(given)), given.scores,
                                            ScoredBpeOptions{.unk_id = given.unk.value_or(-1)});
  parts.normalizer = std::make_unique<SentencePieceNormalizer>(
      SentencePieceRules{.add_prefix = prefix, .remove_extra = given.remove_extra_whitespaces.value_or(false)});
  Json::Array steps = {replace(mark, " "), Json::Object{{"type", "ByteFallback"}}, Json::Object{{"type", "Fuse"}}};
  if (prefix) steps.push_back(Json::Object{{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  parts.decoder = make_decoder(Spec(sequence("decoders", std::move(steps)), "decoder"));
}

/// GGUF writes a mark before what starts a word and nothing before what continues one; WordPiece the other way round.
void build_word_piece(const GgufVocabulary& given, TokenizerParts& parts) {
  std::vector<std::string> tokens = valid_tokens(given);
  bool cased = false;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    std::string& token = tokens[id];
    const bool bracketed = token.size() > 2 && token.front() == '[' && token.back() == ']';
    if (type_of(given, id) == Piece::control || type_of(given, id) == Piece::unknown || bracketed) continue;
    if (token.starts_with(mark)) {
      token.erase(0, mark.size());
    } else {
      token.insert(0, "##");
    }
    for (const char c : token) cased = cased || (c >= 'A' && c <= 'Z');
  }
  WordPieceOptions options;
  if (given.unk && static_cast<std::size_t>(*given.unk) < tokens.size())
    options.unk_token = tokens[static_cast<std::size_t>(*given.unk)];
  parts.model = std::make_unique<WordPiece>(make_vocabulary(tokens), options);
  // The file does not say whether it is cased: a vocabulary with capitals is.
  parts.normalizer =
      make_normalizer(Spec(Json::Object{{"type", "BertNormalizer"}, {"lowercase", !cased}}, "normalizer"));
  parts.pre_tokenizer = make_pre_tokenizer(Spec(Json::Object{{"type", "BertPreTokenizer"}}, "pre_tokenizer"));
  parts.decoder = make_decoder(Spec(Json::Object{{"type", "WordPiece"}}, "decoder"));
}

void build_unigram(const GgufVocabulary& given, TokenizerParts& parts) {
  check(given.unk.has_value(), ErrorCode::parse,
        "[tokenizer] tokenizer.ggml.unknown_token_id is needed with tokenizer.ggml.model t5");
  const std::vector<std::string> tokens = valid_tokens(given);
  std::vector<UnigramPiece> pieces;
  pieces.reserve(tokens.size());
  std::vector<bool> hidden(tokens.size());
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    pieces.emplace_back(tokens[id], given.scores[id]);
    const std::int32_t type = type_of(given, id);
    hidden[id] = type == Piece::control || type == Piece::unknown || type == Piece::unused || type == Piece::byte;
  }
  parts.model = std::make_unique<Unigram>(pieces, given.unk.value_or(-1), false, hidden);
  SentencePieceRules rules;
  if (!given.precompiled_charsmap.empty())
    rules.map.emplace(given.precompiled_charsmap, "tokenizer.ggml.precompiled_charsmap");
  rules.add_prefix = given.add_space_prefix.value_or(true);
  rules.remove_extra = given.remove_extra_whitespaces.value_or(true);
  parts.normalizer = std::make_unique<SentencePieceNormalizer>(std::move(rules));
  parts.decoder = make_decoder(Spec(Json::Object{{"type", "Metaspace"}}, "decoder"));
}

/// `before A after`, `before A after B after`; `types`: the second text has type 1.
std::unique_ptr<PostProcessor> surround(const GgufVocabulary& given, std::optional<TokenId> before,
                                        std::optional<TokenId> after, bool types) {
  if (!before && !after) return nullptr;
  Json::Object table;
  const auto special = [&](TokenId id, int type) -> Json {
    const std::string& token = given.tokens[static_cast<std::size_t>(id)];
    table.emplace_back(token, Json::Object{{"ids", Json::Array{id}}, {"tokens", Json::Array{token}}});
    return Json::Object{{"SpecialToken", Json::Object{{"id", token}, {"type_id", type}}}};
  };
  const auto text = [](const char* name, int type) -> Json {
    return Json::Object{{"Sequence", Json::Object{{"id", name}, {"type_id", type}}}};
  };
  Json::Array single;
  if (before) single.push_back(special(*before, 0));
  single.push_back(text("A", 0));
  if (after) single.push_back(special(*after, 0));
  Json::Array pair = single;
  pair.push_back(text("B", types ? 1 : 0));
  if (after) pair.push_back(special(*after, types ? 1 : 0));
  const Json spec = Json::Object{{"type", "TemplateProcessing"},
                                 {"single", std::move(single)},
                                 {"pair", std::move(pair)},
                                 {"special_tokens", std::move(table)}};
  return make_post_processor(Spec(spec, "post_processor"));
}

}  // namespace

Tokenizer Tokenizer::from_gguf(const GgufVocabulary& given) {
  check(!given.tokens.empty(), ErrorCode::parse, "[tokenizer] tokenizer.ggml.tokens is empty");
  const auto in_range = [&](const std::optional<TokenId>& id, std::string_view key) {
    check(!id || (*id >= 0 && static_cast<std::size_t>(*id) < given.tokens.size()), ErrorCode::parse,
          "[tokenizer] tokenizer.ggml.", key, "_token_id must be less than the ", given.tokens.size(), " tokens, got ",
          id.value_or(-1));
  };
  in_range(given.bos, "bos");
  in_range(given.eos, "eos");
  in_range(given.unk, "unknown");
  in_range(given.sep, "seperator");  // the key is spelt so
  in_range(given.pad, "padding");
  in_range(given.cls, "cls");
  in_range(given.mask, "mask");
  const bool scored = given.model == "llama" || given.model == "t5";
  check(!scored || given.scores.size() == given.tokens.size(), ErrorCode::parse,
        "[tokenizer] tokenizer.ggml.scores must have ", given.tokens.size(), " entries, as tokens has, got ",
        given.scores.size());

  TokenizerParts parts;
  parts.special = {given.bos, given.eos, given.unk, given.sep, given.pad, given.cls, given.mask};
  bool add_bos = given.add_bos.value_or(true);
  bool add_eos = given.add_eos.value_or(false);
  std::optional<TokenId> before = given.bos;
  std::optional<TokenId> after = given.eos;
  if (given.model == "gpt2") {
    build_byte_level(given, parts, add_bos);
  } else if (given.model == "llama") {
    build_sentencepiece_bpe(given, parts);
  } else if (given.model == "bert") {
    build_word_piece(given, parts);
    add_eos = given.add_eos.value_or(true);
    if (given.cls) before = given.cls;
    if (given.sep) after = given.sep;
  } else if (given.model == "t5") {
    build_unigram(given, parts);
    add_bos = given.add_bos.value_or(false);
    add_eos = given.add_eos.value_or(true);
  } else {
    fail(ErrorCode::unsupported, "[tokenizer] tokenizer.ggml.model must be gpt2, llama, bert or t5, got \"",
         given.model, '"');
  }
  parts.post_processor =
      surround(given, add_bos ? before : std::nullopt, add_eos ? after : std::nullopt, given.model == "bert");

  std::vector<AddedToken> added;
  for (std::size_t id = 0; id < given.tokens.size(); ++id) {
    const std::int32_t type = type_of(given, id);
    if (type != Piece::unknown && type != Piece::control && type != Piece::user_defined) continue;
    AddedToken token;
    token.content = replace_invalid_utf8(given.tokens[id]);
    token.id = static_cast<TokenId>(id);
    token.normalized = false;
    token.special = type != Piece::user_defined;
    added.push_back(std::move(token));
  }
  parts.set_added(std::move(added));
  if (given.pad) {
    parts.padding.pad_id = *given.pad;
    parts.padding.pad_token = given.tokens[static_cast<std::size_t>(*given.pad)];
  }
  if (!given.chat_template.empty()) parts.chat_templates["default"] = given.chat_template;
  return Tokenizer(std::make_shared<const TokenizerParts>(std::move(parts)));
}

}  // namespace trustformers
