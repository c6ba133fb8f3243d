#include "sentencepiece_recipes.h"

#include <algorithm>
#include <set>

#include "../base/error.h"
#include "bpe.h"
#include "charsmap.h"
#include "tokenizer_files.h"
#include "unicode.h"

namespace trustformers::recipes {
namespace {

using Words = std::vector<std::string>;

// The languages of fairseq's models; mBART knows the first 25.
constexpr std::string_view fairseq_languages[] = {
    "ar_AR", "cs_CZ", "de_DE", "en_XX", "es_XX", "et_EE", "fi_FI", "fr_XX", "gu_IN", "hi_IN", "it_IT",
    "ja_XX", "kk_KZ", "ko_KR", "lt_LT", "lv_LV", "my_MM", "ne_NP", "nl_XX", "ro_RO", "ru_RU", "si_LK",
    "tr_TR", "vi_VN", "zh_CN", "af_ZA", "az_AZ", "bn_IN", "fa_IR", "he_IL", "hr_HR", "id_ID", "ka_GE",
    "km_KH", "mk_MK", "ml_IN", "mn_MN", "mr_IN", "pl_PL", "ps_AF", "pt_XX", "sv_SE", "sw_KE", "ta_IN",
    "te_IN", "th_TH", "tl_XX", "uk_UA", "ur_PK", "xh_ZA", "gl_ES", "sl_SI"};
constexpr std::size_t mbart_languages = 25;

// The languages of M2M-100, in the order of their ids.
constexpr std::string_view m2m_languages[] = {
    "af", "am", "ar", "ast", "az", "ba",  "be", "bg", "bn", "br", "bs", "ca", "ceb", "cs", "cy", "da", "de",
    "el", "en", "es", "et",  "fa", "ff",  "fi", "fr", "fy", "ga", "gd", "gl", "gu",  "ha", "he", "hi", "hr",
    "ht", "hu", "hy", "id",  "ig", "ilo", "is", "it", "ja", "jv", "ka", "kk", "km",  "kn", "ko", "lb", "lg",
    "ln", "lo", "lt", "lv",  "mg", "mk",  "ml", "mn", "mr", "ms", "my", "ne", "nl",  "no", "ns", "oc", "or",
    "pa", "pl", "ps", "pt",  "ro", "ru",  "sd", "si", "sk", "sl", "so", "sq", "sr",  "ss", "su", "sv", "sw",
    "ta", "th", "tl", "tn",  "tr", "uk",  "ur", "uz", "vi", "wo", "xh", "yi", "yo",  "zh", "zu"};
constexpr std::string_view wmt21_languages[] = {"en", "ha", "is", "ja", "cs", "ru", "zh", "de"};

Json always_marked() { return parse(R"({"type":"Metaspace","prepend_scheme":"always"})"); }

Json single_blanks() { return parse(R"({"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "})"); }

Json sequence(Json::Array steps) { return Json::Object{{"type", "Sequence"}, {"normalizers", std::move(steps)}}; }

AddedToken special_piece(std::string content) {
  AddedToken token;
  token.content = std::move(content);
  token.special = true;
  token.normalized = false;
  return token;
}

/// A mask takes the blanks before it, unless the model has it as a control piece.
Role mask_role(const SentencePieceModel& model, std::string content) {
  const bool own = std::any_of(model.pieces.begin(), model.pieces.end(), [&](const auto& piece) {
    return piece.text == content && piece.type == SentencePieceModel::control;
  });
  return {"mask_token", std::move(content), !own};
}

/// `before A after`, `before A B after`: pairs are joined as one text.
std::function<Json(const Recipe::RoleOf&, const Recipe::Lookup&)> one_text(const Words& before, const Words& after) {
  return [before, after](const Recipe::RoleOf&, const Recipe::Lookup& id_of) {
    return template_post_processor(before, after, {}, 0, id_of);
  };
}

/// fairseq's special pieces instead of the first three of the file, then languages and the mask.
std::vector<UnigramPiece> translation_pieces(const SentencePieceModel& model,
                                             std::span<const std::string_view> languages) {
  std::vector<UnigramPiece> out = {{"<s>", 0.0}, {"<pad>", 0.0}, {"</s>", 0.0}, {"<unk>", 0.0}};
  const std::vector<UnigramPiece> own = pieces_of(model);
  out.insert(out.end(), own.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(3, own.size())), own.end());
  for (const std::string_view language : languages) out.emplace_back(language, 0.0);
  out.emplace_back("<mask>", 0.0);
  return out;
}

std::vector<Role> translation_roles(const SentencePieceModel& model, bool bos) {
  std::vector<Role> out;
  if (bos) out.push_back({"bos_token", "<s>"});
  for (const auto& [key, content] : {std::pair{"eos_token", "</s>"},
                                     {"unk_token", "<unk>"},
                                     {"sep_token", "</s>"},
                                     {"pad_token", "<pad>"},
                                     {"cls_token", "<s>"}})
    out.push_back({key, content});
  out.push_back(mask_role(model, "<mask>"));
  return out;
}

void add_languages(Recipe& out, std::span<const std::string_view> languages) {
  for (const std::string_view language : languages) out.more.push_back(special_piece(std::string(language)));
}

/// A model whose pieces have other numbers outside.
class RenumberedModel final : public TokenModel {
 public:
  RenumberedModel(std::unique_ptr<TokenModel> pieces, Vocabulary vocabulary, std::string_view unk)
      : pieces_(std::move(pieces)), vocabulary_(std::move(vocabulary)), unk_(vocabulary_.find(unk)) {
    check(unk_ >= 0, ErrorCode::parse, "[tokenizer] vocab.json lacks the unknown token ", unk);
  }
  void tokenize(std::string_view piece, std::vector<ModelToken>& out) const override {
    const std::size_t first = out.size();
    pieces_->tokenize(piece, out);
    for (std::size_t i = first; i < out.size(); ++i) {
      const auto text = pieces_->vocabulary().token(out[i].id);
      const TokenId id = text ? vocabulary_.find(*text) : -1;
      out[i].id = id >= 0 ? id : unk_;
    }
  }
  const Vocabulary& vocabulary() const override { return vocabulary_; }

 private:
  std::unique_ptr<TokenModel> pieces_;
  Vocabulary vocabulary_;
  TokenId unk_;
};

/// Texts between special tokens are decoded each by itself; blanks at the ends go.
class RunsDecoder final : public TokenDecoder {
 public:
  RunsDecoder(std::unique_ptr<TokenDecoder> pieces, std::set<std::string> special, std::string gap)
      : pieces_(std::move(pieces)), special_(std::move(special)), gap_(std::move(gap)) {}
  void apply(std::vector<std::string>& tokens) const override {
    std::string out;
    std::vector<std::string> run;
    const auto flush = [&] {
      pieces_->apply(run);
      for (const std::string& text : run) out += text;
      run.clear();
    };
    for (std::string& token : tokens) {
      if (!special_.contains(token)) {
        run.push_back(std::move(token));
        continue;
      }
      flush();
      out += token + gap_;
    }
    flush();
    std::size_t begin = 0, end = out.size();
    while (begin < end && unicode::is_whitespace(unicode::decode(out, begin).value))
      begin += unicode::decode(out, begin).size;
    while (end > begin && unicode::is_whitespace(unicode::decode_before(out, end).value))
      end -= unicode::decode_before(out, end).size;
    tokens.assign(1, out.substr(begin, end - begin));
  }
  std::size_t growth() const override { return pieces_->growth(); }

 private:
  std::unique_ptr<TokenDecoder> pieces_;
  std::set<std::string> special_;
  std::string gap_;
};

/// What sentencepiece itself does, with the numbers of vocab.json. `gap` follows special tokens in decoded text.
Recipe renumbered(FolderVocabulary& files, const Json& config, Words special, std::string gap) {
  TokenizerParts parts = sentencepiece_parts(*files.sentencepiece);
  Recipe out;
  out.model = std::make_unique<RenumberedModel>(std::move(parts.model), std::move(*files.tokens),
                                                content_of(config, "unk_token", "<unk>"));
  out.own_normalizer = std::move(parts.normalizer);
  std::set<std::string> names(special.begin(), special.end());
  for (const char* const key : {"bos_token", "eos_token", "unk_token", "pad_token", "sep_token"})
    if (std::string name = content_of(config, key, ""); !name.empty()) names.insert(std::move(name));
  out.own_decoder = std::make_unique<RunsDecoder>(std::move(parts.decoder), std::move(names), std::move(gap));
  return out;
}

}  // namespace

Json parse(std::string_view text) { return Json::parse(text, "built-in"); }

bool flag(const Json& config, std::string_view key, bool otherwise) {
  const Json* const value = config.find(key);
  return value && !value->is_null() ? value->as_bool(key) : otherwise;
}

std::string content_of(const Json& config, std::string_view key, std::string_view otherwise) {
  const Json* const value = config.find(key);
  if (!value || value->is_null()) return std::string(otherwise);
  return value->is_object() ? value->at("content", key).as_string(key) : value->as_string(key);
}

std::unique_ptr<TokenModel> merged_bpe(const SentencePieceModel& model, BpeOptions options) {
  std::vector<Vocabulary::Entry> entries;
  for (const SentencePieceModel::Piece& piece : model.pieces)
    entries.emplace_back(piece.text, static_cast<std::int64_t>(entries.size()));
  Vocabulary vocabulary;
  vocabulary.add(entries, "sentencepiece");
  std::vector<std::string_view> halves;
  std::vector<TokenId> unions;
  for (const auto& [text, id] : entries) {
    if (vocabulary.find(text) != id) continue;  // a piece that comes again later
    for (std::size_t cut = text.empty() ? 0 : unicode::decode(text, 0).size; cut < text.size();
         cut += unicode::decode(text, cut).size) {
      halves.push_back(text.substr(0, cut));
      halves.push_back(text.substr(cut));
      unions.push_back(static_cast<TokenId>(id));
    }
  }
  std::vector<TokenId> ids(halves.size());
  vocabulary.find(halves, ids);
  auto bpe = std::make_unique<Bpe>(std::move(vocabulary), std::move(options));
  std::uint32_t rank = 0;
  for (std::size_t i = 0; i < unions.size(); ++i)
    if (ids[2 * i] >= 0 && ids[2 * i + 1] >= 0) bpe->add_merge(ids[2 * i], ids[2 * i + 1], unions[i], rank++);
  return bpe;
}

std::vector<AddedToken> added_pieces(const SentencePieceModel& model) {
  std::vector<AddedToken> out;
  for (const SentencePieceModel::Piece& piece : model.pieces) {
    if (piece.type != SentencePieceModel::control && piece.type != SentencePieceModel::user_defined) continue;
    AddedToken token;
    token.content = piece.text;
    token.normalized = false;
    token.special = piece.type == SentencePieceModel::control;
    out.push_back(std::move(token));
  }
  return out;
}

std::vector<UnigramPiece> pieces_of(const SentencePieceModel& model) {
  std::vector<UnigramPiece> out;
  for (const SentencePieceModel::Piece& piece : model.pieces)
    out.emplace_back(piece.text, static_cast<double>(piece.score));
  return out;
}

Json precompiled(const SentencePieceModel& model) {
  return Json::Object{{"type", "Precompiled"}, {"precompiled_charsmap", encode_base64(model.charsmap)}};
}

Recipe mbart(FolderVocabulary& files, const Json& config) {
  const SentencePieceModel& model = *files.sentencepiece;
  const auto languages = std::span(fairseq_languages).first(mbart_languages);
  Recipe out;
  out.model = std::make_unique<Unigram>(translation_pieces(model, languages), 3, false);
  out.pre_tokenizer = Json::Object{
      {"type", "Sequence"}, {"pretokenizers", Json::Array{parse(R"({"type":"WhitespaceSplit"})"), always_marked()}}};
  out.decoder = always_marked();
  out.roles = translation_roles(model, true);
  add_languages(out, languages);
  out.post_processor = one_text({}, {"</s>", content_of(config, "src_lang", "en_XX")});
  return out;
}

Recipe mbart50(FolderVocabulary& files, const Json& config) {
  const SentencePieceModel& model = *files.sentencepiece;
  Recipe out;
  out.model = std::make_unique<Unigram>(translation_pieces(model, fairseq_languages), 3, false);
  Json::Array steps;
  if (!model.charsmap.empty()) steps.push_back(precompiled(model));
  steps.push_back(single_blanks());
  out.normalizer = sequence(std::move(steps));
  out.pre_tokenizer = out.decoder = always_marked();
  out.roles = translation_roles(model, false);
  add_languages(out, fairseq_languages);
  out.post_processor = one_text({content_of(config, "src_lang", "en_XX")}, {"</s>"});
  return out;
}

/// Masks and fillers are in front of the file's pieces, of which the first two go.
Recipe pegasus(FolderVocabulary& files, const Json& config) {
  const SentencePieceModel& model = *files.sentencepiece;
  const Json* const given = config.find("offset");
  const std::int64_t offset = given && given->is_int() ? given->as_int() : 103;
  check(offset >= 2 && offset <= 100000, ErrorCode::parse, "[tokenizer_config.json] offset is ", offset);
  std::vector<UnigramPiece> pieces = {{"<pad>", 0.0}, {"</s>", 0.0}, {"<mask_1>", 0.0}, {"<mask_2>", 0.0}};
  Recipe out;
  out.roles = {{"eos_token", "</s>"}, {"unk_token", "<unk>"}, {"pad_token", "<pad>"}, {"mask_token", "<mask_2>"}};
  out.more.push_back(special_piece("<mask_1>"));
  Words fillers;
  for (std::int64_t i = 2; i < offset; ++i) fillers.push_back(str("<unk_", i, ">"));
  for (const std::string& filler : fillers) {
    pieces.emplace_back(filler, -100.0);
    out.more.push_back(special_piece(filler));
  }
  const std::vector<UnigramPiece> own = pieces_of(model);
  pieces.insert(pieces.end(), own.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(2, own.size())),
                own.end());
  const auto unk = std::find_if(pieces.begin(), pieces.end(), [](const UnigramPiece& p) { return p.first == "<unk>"; });
  check(unk != pieces.end(), ErrorCode::parse, "[tokenizer] the sentencepiece model has no piece <unk>");
  out.model = std::make_unique<Unigram>(pieces, static_cast<TokenId>(unk - pieces.begin()), false);
  Json::Array steps;
  if (model.charsmap.empty())
    steps.push_back(parse(R"({"type":"Replace","pattern":{"Regex":"\\n"},"content":" "})"));
  else
    steps.push_back(precompiled(model));
  steps.push_back(single_blanks());
  out.normalizer = sequence(std::move(steps));
  out.pre_tokenizer = out.decoder = always_marked();
  out.post_processor = one_text({}, {content_of(config, "eos_token", "</s>")});
  return out;
}

Recipe xlnet(FolderVocabulary& files, const Json& config) {
  const SentencePieceModel& model = *files.sentencepiece;
  Recipe out;
  out.model = std::make_unique<Unigram>(pieces_of(model), model.unk_id, false);
  Json::Array steps = {parse(R"({"type":"Replace","pattern":{"String":"``"},"content":"\""})"),
                       parse(R"({"type":"Replace","pattern":{"String":"''"},"content":"\""})"),
                       parse(R"({"type":"NFKD"})"), parse(R"({"type":"StripAccents"})")};
  if (flag(config, "do_lower_case", false)) steps.push_back(parse(R"({"type":"Lowercase"})"));
  if (!model.charsmap.empty()) steps.push_back(precompiled(model));
  out.normalizer = sequence(std::move(steps));
  out.pre_tokenizer = Json::Object{
      {"type", "Sequence"}, {"pretokenizers", Json::Array{parse(R"({"type":"WhitespaceSplit"})"), always_marked()}}};
  out.decoder = always_marked();
  out.roles = {{"bos_token", "<s>"},   {"eos_token", "</s>"},  {"unk_token", "<unk>"},    {"sep_token", "<sep>"},
               {"pad_token", "<pad>"}, {"cls_token", "<cls>"}, mask_role(model, "<mask>")};
  out.more = added_pieces(model);
  out.padding_side = Side::left;
  // The end of a text stands after it, and has a type of its own.
  out.post_processor = [](const Recipe::RoleOf& role, const Recipe::Lookup& id_of) {
    const auto special = [](const std::string& token, int type) -> Json {
      return Json::Object{{"SpecialToken", Json::Object{{"id", token}, {"type_id", type}}}};
    };
    const auto text = [](const char* name, int type) -> Json {
      return Json::Object{{"Sequence", Json::Object{{"id", name}, {"type_id", type}}}};
    };
    const std::string sep = role("sep_token"), cls = role("cls_token");
    Json table = Json::object();
    for (const std::string& token : {sep, cls})
      table.set(token, Json::Object{{"id", token}, {"ids", Json::Array{id_of(token)}}, {"tokens", Json::Array{token}}});
    return Json(Json::Object{
        {"type", "TemplateProcessing"},
        {"single", Json::Array{text("A", 0), special(sep, 0), special(cls, 2)}},
        {"pair", Json::Array{text("A", 0), special(sep, 0), text("B", 1), special(sep, 1), special(cls, 2)}},
        {"special_tokens", std::move(table)}});
  };
  return out;
}

Recipe big_bird(FolderVocabulary& files, const Json& config) {
  const SentencePieceModel& model = *files.sentencepiece;
  Recipe out;
  out.model = std::make_unique<Unigram>(pieces_of(model), model.unk_id, false);
  out.normalizer = parse(R"({"type":"Replace","pattern":{"Regex":" {2,}"},"content":"▁"})");
  out.pre_tokenizer = out.decoder = Json::Object{
      {"type", "Metaspace"}, {"prepend_scheme", flag(config, "add_prefix_space", true) ? "always" : "never"}};
  out.roles = {{"bos_token", "<s>"},   {"eos_token", "</s>"},  {"unk_token", "<unk>"},    {"sep_token", "[SEP]"},
               {"pad_token", "<pad>"}, {"cls_token", "[CLS]"}, mask_role(model, "[MASK]")};
  out.more = added_pieces(model);
  out.post_processor = [](const Recipe::RoleOf& role, const Recipe::Lookup& id_of) {
    return template_post_processor({role("cls_token")}, {role("sep_token")}, {role("sep_token")}, 1, id_of);
  };
  return out;
}

namespace {

/// What transformers 4 makes of a sentencepiece model unless a class says otherwise.
void convert(Recipe& out, const SentencePieceModel& model, const Json& config) {
  Json::Array steps;
  if (!model.charsmap.empty()) steps.push_back(precompiled(model));
  steps.push_back(parse(R"({"type":"Strip","strip_left":false,"strip_right":true})"));
  steps.push_back(parse(R"({"type":"Replace","pattern":{"Regex":" {2,}"},"content":"▁"})"));
  out.normalizer = sequence(std::move(steps));
  out.pre_tokenizer = out.decoder = Json::Object{
      {"type", "Metaspace"}, {"prepend_scheme", flag(config, "add_prefix_space", true) ? "always" : "never"}};
  out.more = added_pieces(model);
}

/// `cls A sep`, `cls A sep B sep` with the second text of type 1.
Json cls_and_sep(const Recipe::RoleOf& role, const Recipe::Lookup& id_of) {
  return template_post_processor({role("cls_token")}, {role("sep_token")}, {role("sep_token")}, 1, id_of);
}

/// The normaliser of ALBERT's kin. `blanks_first`: joined before the map of characters, else after it.
Json albert_steps(const SentencePieceModel& model, bool keep_accents, bool lowercase, bool blanks_first) {
  Json::Array steps = {parse(R"({"type":"Replace","pattern":{"String":"``"},"content":"\""})"),
                       parse(R"({"type":"Replace","pattern":{"String":"''"},"content":"\""})")};
  if (blanks_first) steps.push_back(single_blanks());
  if (!keep_accents) {
    steps.push_back(parse(R"({"type":"NFKD"})"));
    steps.push_back(parse(R"({"type":"StripAccents"})"));
  }
  if (lowercase) steps.push_back(parse(R"({"type":"Lowercase"})"));
  if (!model.charsmap.empty()) steps.push_back(precompiled(model));
  if (!blanks_first) steps.push_back(single_blanks());
  return sequence(std::move(steps));
}

}  // namespace

Recipe barthez(FolderVocabulary& files, const Json& config) {
  const SentencePieceModel& model = *files.sentencepiece;
  Recipe out;
  out.model = std::make_unique<Unigram>(pieces_of(model), 3, false);
  convert(out, model, config);
  out.roles = translation_roles(model, true);
  out.roles.back().lstrip = true;
  out.post_processor = [](const Recipe::RoleOf& role, const Recipe::Lookup& id_of) {
    const std::string end = role("eos_token");
    return template_post_processor({role("bos_token")}, {end}, {end, end}, 0, id_of);
  };
  return out;
}

Recipe rembert(FolderVocabulary& files, const Json& config) {
  const SentencePieceModel& model = *files.sentencepiece;
  Recipe out;
  out.model = std::make_unique<Unigram>(pieces_of(model), model.unk_id, false);
  convert(out, model, config);
  out.normalizer = albert_steps(model, flag(config, "keep_accents", true), flag(config, "do_lower_case", false), true);
  out.roles = {{"bos_token", "[CLS]"}, {"eos_token", "[SEP]"}, {"unk_token", "[UNK]"},        {"sep_token", "[SEP]"},
               {"pad_token", "[PAD]"}, {"cls_token", "[CLS]"}, {"mask_token", "[MASK]", true}};
  out.post_processor = cls_and_sep;
  return out;
}

Recipe fnet(FolderVocabulary& files, const Json& config) {
  const SentencePieceModel& model = *files.sentencepiece;
  Recipe out;
  out.model = std::make_unique<Unigram>(pieces_of(model), model.unk_id, false);
  convert(out, model, config);
  out.normalizer = albert_steps(model, flag(config, "keep_accents", true), flag(config, "do_lower_case", false), false);
  out.roles = {{"unk_token", "<unk>"},
               {"sep_token", "[SEP]"},
               {"pad_token", "<pad>"},
               {"cls_token", "[CLS]"},
               {"mask_token", "[MASK]", true}};
  out.post_processor = cls_and_sep;
  return out;
}

Recipe reformer(FolderVocabulary& files, const Json& config) {
  const SentencePieceModel& model = *files.sentencepiece;
  Recipe out;
  BpeOptions options;
  options.fuse_unk = true;
  options.unk_token = content_of(config, "unk_token", "<unk>");
  out.model = merged_bpe(model, std::move(options));
  convert(out, model, config);
  out.roles = {{"eos_token", "</s>"}, {"unk_token", "<unk>"}};
  return out;
}

Recipe xglm(FolderVocabulary& files, const Json& config) {
  const SentencePieceModel& model = *files.sentencepiece;
  std::vector<UnigramPiece> pieces = {{"<s>", 0.0}, {"<pad>", 0.0}, {"</s>", 0.0}, {"<unk>", 0.0}};
  const std::vector<UnigramPiece> own = pieces_of(model);
  pieces.insert(pieces.end(), own.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(3, own.size())),
                own.end());
  Words fillers;
  for (int i = 0; i < 7; ++i) fillers.push_back(str("<madeupword", i, ">"));
  Recipe out;
  for (const std::string& filler : fillers) pieces.emplace_back(filler, 0.0);
  out.model = std::make_unique<Unigram>(pieces, 3, false);
  convert(out, model, config);
  out.roles = translation_roles(model, true);
  out.roles.pop_back();  // there is no mask
  for (const std::string& filler : fillers) out.more.push_back(special_piece(filler));
  out.post_processor = [](const Recipe::RoleOf& role, const Recipe::Lookup& id_of) {
    const std::string end = role("eos_token");
    return template_post_processor({end}, {}, {end, end}, 0, id_of);
  };
  return out;
}

Recipe nllb(FolderVocabulary& files, const Json& config) {
  SentencePieceModel model = *files.sentencepiece;
  const Words front = {"<s>", "<pad>", "</s>", "<unk>"};
  std::vector<SentencePieceModel::Piece> pieces;
  for (const std::string& token : front) pieces.push_back({token, 0, SentencePieceModel::normal});
  for (auto& piece : model.pieces)
    if (std::find(front.begin(), front.end(), piece.text) == front.end()) pieces.push_back(std::move(piece));
  model.pieces = std::move(pieces);
  Recipe out;
  BpeOptions options;
  options.fuse_unk = true;
  options.unk_token = content_of(config, "unk_token", "<unk>");
  out.model = merged_bpe(model, std::move(options));
  if (!model.charsmap.empty()) out.normalizer = sequence({precompiled(model), single_blanks()});
  out.pre_tokenizer = out.decoder = always_marked();
  out.roles = translation_roles(*files.sentencepiece, true);
  const std::string source = content_of(config, "src_lang", "eng_Latn");
  out.post_processor =
      flag(config, "legacy_behaviour", false) ? one_text({}, {"</s>", source}) : one_text({source}, {"</s>"});
  return out;
}

Recipe m2m_100(FolderVocabulary& files, const Json& config) {
  const bool news = content_of(config, "language_codes", "m2m100") == "wmt21";
  Words languages;
  for (const std::string_view language :
       news ? std::span<const std::string_view>(wmt21_languages) : std::span<const std::string_view>(m2m_languages))
    languages.push_back(str("__", language, "__"));
  Words special = languages;
  special.insert(special.end(), {"<s>", "</s>", "<pad>", "<unk>"});
  Recipe out = renumbered(files, config, std::move(special), "");
  out.roles = {{"bos_token", "<s>"},
               {"eos_token", "</s>"},
               {"unk_token", "<unk>"},
               {"sep_token", "</s>"},
               {"pad_token", "<pad>"}};
  // Languages have the ids behind the vocabulary, in this order.
  for (const std::string& language : languages) out.more.push_back(special_piece(language));
  out.post_processor = one_text({"__" + content_of(config, "src_lang", "en") + "__"}, {"</s>"});
  return out;
}

Recipe marian(FolderVocabulary& files, const Json& config) {
  check(!flag(config, "separate_vocabs", false), ErrorCode::unsupported,
        "[tokenizer] MarianTokenizer with separate_vocabs is not supported");
  // ">>fra<<" in front of a text asks for a language.
  std::vector<AddedToken> codes;
  for (TokenId id = 0; id < files.tokens->id_bound(); ++id) {
    const auto text = files.tokens->token(id);
    if (!text || !text->starts_with(">>") || !text->ends_with("<<")) continue;
    codes.push_back(special_piece(std::string(*text)));
    codes.back().special = false;
  }
  Recipe out = renumbered(files, config, {"</s>", "<unk>", "<pad>"}, " ");
  out.roles = {{"eos_token", "</s>"}, {"unk_token", "<unk>"}, {"pad_token", "<pad>"}};
  out.more = std::move(codes);
  out.post_processor = one_text({}, {content_of(config, "eos_token", "</s>")});
  return out;
}

}  // namespace trustformers::recipes
