#include "tokenizer_recipes.h"

#include <algorithm>

#include "../base/error.h"
#include "bpe.h"
#include "scanners.h"
#include "sentencepiece_recipes.h"
#include "unicode.h"
#include "unigram.h"
#include "word_piece.h"

namespace trustformers {
namespace {

using Strings = std::vector<std::string>;
using namespace recipes;

std::unique_ptr<TokenModel> make_bpe(FolderVocabulary& files, BpeOptions options) {
  auto bpe = std::make_unique<Bpe>(std::move(*files.tokens), std::move(options));
  bpe->add_merges(files.merges);
  return bpe;
}

Json byte_level_decoder() { return parse(R"({"type":"ByteLevel"})"); }

Json byte_level(const Json& config) {
  return Json::Object{{"type", "ByteLevel"}, {"add_prefix_space", flag(config, "add_prefix_space", false)}};
}

Recipe bert(FolderVocabulary& files, const Json& config) {
  Recipe out;
  WordPieceOptions options;
  options.unk_token = content_of(config, "unk_token", "[UNK]");
  out.model = std::make_unique<WordPiece>(std::move(*files.tokens), options);
  Json normalizer = Json::Object{{"type", "BertNormalizer"},
                                 {"handle_chinese_chars", flag(config, "tokenize_chinese_chars", true)},
                                 {"lowercase", flag(config, "do_lower_case", true)}};
  if (const Json* const strip = config.find("strip_accents")) normalizer.set("strip_accents", *strip);
  out.normalizer = std::move(normalizer);
  out.pre_tokenizer = parse(R"({"type":"BertPreTokenizer"})");
  out.decoder = parse(R"({"type":"WordPiece"})");
  out.roles = {{"unk_token", "[UNK]"},
               {"sep_token", "[SEP]"},
               {"pad_token", "[PAD]"},
               {"cls_token", "[CLS]"},
               {"mask_token", "[MASK]"}};
  out.post_processor = [](const Recipe::RoleOf& role, const Recipe::Lookup& id_of) {
    return template_post_processor({role("cls_token")}, {role("sep_token")}, {role("sep_token")}, 1, id_of);
  };
  return out;
}

Json cls_sep(std::string_view type, const std::string& cls, const std::string& sep, const Recipe::Lookup& id_of) {
  return Json::Object{
      {"type", type}, {"sep", Json::Array{Json(sep), id_of(sep)}}, {"cls", Json::Array{Json(cls), id_of(cls)}}};
}

Recipe mpnet(FolderVocabulary& files, const Json& config) {
  Recipe out = bert(files, config);
  out.roles = {{"bos_token", "<s>"},   {"eos_token", "</s>"}, {"unk_token", "[UNK]"},        {"sep_token", "</s>"},
               {"pad_token", "<pad>"}, {"cls_token", "<s>"},  {"mask_token", "<mask>", true}};
  out.post_processor = [](const Recipe::RoleOf& role, const Recipe::Lookup& id_of) {
    Json spec = cls_sep("RobertaProcessing", role("cls_token"), role("sep_token"), id_of);
    spec.set("trim_offsets", true);
    spec.set("add_prefix_space", false);
    return spec;
  };
  return out;
}

Recipe gpt2(FolderVocabulary& files, const Json& config) {
  Recipe out;
  out.model = make_bpe(files, {});
  out.pre_tokenizer = byte_level(config);
  out.decoder = byte_level_decoder();
  out.roles = {{"bos_token", "<|endoftext|>"},
               {"eos_token", "<|endoftext|>"},
               {"unk_token", "<|endoftext|>"},
               {"pad_token", ""}};
  return out;
}

Recipe roberta(FolderVocabulary& files, const Json& config) {
  Recipe out = gpt2(files, config);
  out.roles = {{"bos_token", "<s>"},   {"eos_token", "</s>"}, {"unk_token", "<unk>"},  {"sep_token", "</s>"},
               {"pad_token", "<pad>"}, {"cls_token", "<s>"},  {"mask_token", "<mask>"}};
  out.post_processor = [trim = flag(config, "trim_offsets", true), prefix = flag(config, "add_prefix_space", false)](
                           const Recipe::RoleOf& role, const Recipe::Lookup& id_of) {
    Json spec = cls_sep("RobertaProcessing", role("cls_token"), role("sep_token"), id_of);
    spec.set("trim_offsets", trim);
    spec.set("add_prefix_space", prefix);
    return spec;
  };
  return out;
}

/// The end follows a text, not a pair of them.
Recipe blenderbot(FolderVocabulary& files, const Json& config) {
  Recipe out = roberta(files, config);
  out.roles.back().lstrip = true;
  out.post_processor = [](const Recipe::RoleOf& role, const Recipe::Lookup& id_of) {
    Json spec = template_post_processor({}, {role("eos_token")}, {}, 1, id_of);
    spec.set("pair", template_post_processor({}, {}, {}, 1, id_of).at("pair"));
    return spec;
  };
  return out;
}

Recipe deberta(FolderVocabulary& files, const Json& config) {
  Recipe out = gpt2(files, config);
  out.roles = {{"bos_token", "[CLS]"}, {"eos_token", "[SEP]"}, {"unk_token", "[UNK]"},        {"sep_token", "[SEP]"},
               {"pad_token", "[PAD]"}, {"cls_token", "[CLS]"}, {"mask_token", "[MASK]", true}};
  out.post_processor = [](const Recipe::RoleOf& role, const Recipe::Lookup& id_of) {
    const std::string sep = role("sep_token");
    return template_post_processor({role("cls_token")}, {sep}, {sep, sep}, 0, id_of);
  };
  return out;
}

Recipe qwen2(FolderVocabulary& files, const Json& config) {
  Recipe out;
  out.model = make_bpe(files, {});
  out.normalizer = parse(R"({"type":"NFC"})");
  Json bytes = byte_level(config);
  bytes.set("use_regex", false);
  out.pre_tokenizer =
      Json::Object{{"type", "Sequence"},
                   {"pretokenizers", Json::Array{Json::Object{{"type", "Split"},
                                                              {"pattern", Json::Object{{"Regex", qwen2_pattern}}},
                                                              {"behavior", "Isolated"}},
                                                 bytes}}};
  out.decoder = byte_level_decoder();
  out.roles = {{"bos_token", ""},
               {"eos_token", "<|endoftext|>"},
               {"unk_token", "<|endoftext|>"},
               {"pad_token", "<|endoftext|>"}};
  return out;
}

/// Words end in </w>, which becomes a blank; what Python calls white space at the ends of the text goes.
class ClipDecoder final : public TokenDecoder {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    words_->apply(tokens);
    std::string all;
    for (const std::string& token : tokens) all += token;
    const auto is_space = [](char32_t c) { return unicode::is_whitespace(c) || (c >= 0x1C && c <= 0x1F); };
    std::size_t begin = 0;
    std::size_t end = all.size();
    while (begin < end && is_space(unicode::decode(all, begin).value)) begin += unicode::decode(all, begin).size;
    while (end > begin && is_space(unicode::decode_before(all, end).value))
      end -= unicode::decode_before(all, end).size;
    tokens.assign(1, all.substr(begin, end - begin));
  }

 private:
  std::unique_ptr<TokenDecoder> words_ = make_decoder(Spec(
      parse(
          R"({"type":"Sequence","decoders":[{"type":"ByteLevel"},{"type":"Replace","pattern":{"String":"</w>"},"content":" "}]})"),
      "decoder"));
};

Recipe clip(FolderVocabulary& files, const Json& config) {
  Recipe out;
  BpeOptions options;
  options.end_of_word_suffix = "</w>";
  options.unk_token = content_of(config, "unk_token", "<|endoftext|>");
  out.model = make_bpe(files, std::move(options));
  out.normalizer = parse(
      R"({"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Replace","pattern":{"Regex":"\\s+"},"content":" "},{"type":"Lowercase"}]})");
  out.pre_tokenizer = parse(
      R"({"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"},"behavior":"Removed","invert":true},{"type":"ByteLevel","add_prefix_space":false}]})");
  out.own_decoder = std::make_unique<ClipDecoder>();
  out.roles = {{"bos_token", "<|startoftext|>"},
               {"eos_token", "<|endoftext|>"},
               {"unk_token", "<|endoftext|>"},
               {"pad_token", "<|endoftext|>"}};
  out.post_processor = [](const Recipe::RoleOf& role, const Recipe::Lookup& id_of) {
    Json spec = cls_sep("RobertaProcessing", role("bos_token"), role("eos_token"), id_of);
    spec.set("trim_offsets", false);
    spec.set("add_prefix_space", false);
    return spec;
  };
  return out;
}

Recipe openai_gpt(FolderVocabulary& files, const Json& config) {
  Recipe out;
  BpeOptions options;
  options.end_of_word_suffix = "</w>";
  options.unk_token = content_of(config, "unk_token", "<unk>");
  out.model = make_bpe(files, std::move(options));
  out.normalizer = parse(R"({"type":"BertNormalizer","lowercase":true})");
  out.pre_tokenizer = parse(R"({"type":"BertPreTokenizer"})");
  out.decoder = parse(R"({"type":"BPEDecoder","suffix":"</w>"})");
  out.roles = {{"unk_token", "<unk>"}};
  return out;
}

// ---------------------------------------------------------------- sentencepiece

using Model = SentencePieceModel;

/// Words apart at white space, each after a mark.
void split_at_whitespace(Recipe& out, const Model& model, const Json& config) {
  if (!model.charsmap.empty()) out.normalizer = precompiled(model);
  const Json metaspace = Json::Object{{"type", "Metaspace"},
                                      {"prepend_scheme", flag(config, "add_prefix_space", true) ? "always" : "never"}};
  out.pre_tokenizer = Json::Object{
      {"type", "Sequence"}, {"pretokenizers", Json::Array{Json::Object{{"type", "WhitespaceSplit"}}, metaspace}}};
  out.decoder = metaspace;
}

Recipe llama(FolderVocabulary& files, const Json& config) {
  const Model& model = *files.sentencepiece;
  const bool prefix = flag(config, "add_prefix_space", true);
  Recipe out;
  BpeOptions options;
  options.fuse_unk = options.byte_fallback = true;
  out.model = merged_bpe(model, std::move(options));
  const char* const scheme = !prefix ? "never" : flag(config, "legacy", false) ? "always" : "first";
  out.pre_tokenizer = Json::Object{{"type", "Metaspace"}, {"prepend_scheme", scheme}, {"split", false}};
  out.decoder = parse(
      R"({"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"}]})");
  if (prefix)
    out.decoder = parse(
        R"({"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]})");
  out.roles = {{"bos_token", "<s>"}, {"eos_token", "</s>"}, {"unk_token", "<unk>"}};
  out.more = added_pieces(model);
  return out;
}

Recipe gemma(FolderVocabulary& files, const Json& config) {
  const Model& model = *files.sentencepiece;
  Recipe out;
  BpeOptions options;
  options.fuse_unk = options.byte_fallback = true;
  options.unk_token = content_of(config, "unk_token", "<unk>");
  out.model = merged_bpe(model, std::move(options));
  out.normalizer = parse(R"({"type":"Replace","pattern":{"String":" "},"content":"▁"})");
  out.pre_tokenizer = parse(R"({"type":"Split","pattern":{"String":" "},"behavior":"MergedWithPrevious"})");
  out.decoder = parse(
      R"({"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"}]})");
  out.roles = {{"bos_token", "<bos>"},
               {"eos_token", "<eos>"},
               {"unk_token", "<unk>"},
               {"pad_token", "<pad>"},
               {"mask_token", "<mask>"}};
  out.more = added_pieces(model);
  return out;
}

Recipe t5(FolderVocabulary& files, const Json& config) {
  const Model& model = *files.sentencepiece;
  const Json* const given = config.find("extra_ids");
  const std::int64_t extra = given && given->is_int() ? given->as_int() : 100;
  check(extra >= 0 && extra <= 100000, ErrorCode::parse, "[tokenizer_config.json] extra_ids is ", extra);
  std::vector<UnigramPiece> pieces = pieces_of(model);
  Strings names;
  for (std::int64_t i = 0; i < extra; ++i) names.push_back(str("<extra_id_", i, ">"));
  for (auto name = names.rbegin(); name != names.rend(); ++name) pieces.emplace_back(*name, 0.0);
  Recipe out;
  out.model = std::make_unique<Unigram>(pieces, 2, false);
  split_at_whitespace(out, model, Json::object());
  out.roles = {{"eos_token", "</s>"}, {"unk_token", "<unk>"}, {"pad_token", "<pad>"}};
  out.more = added_pieces(model);
  for (const std::string& name : names) {
    AddedToken token;
    token.content = name;
    token.normalized = false;
    token.special = true;
    out.more.push_back(std::move(token));
  }
  out.post_processor = [](const Recipe::RoleOf&, const Recipe::Lookup& id_of) {
    return template_post_processor({}, {"</s>"}, {"</s>"}, 0, id_of);
  };
  return out;
}

/// The pieces of fairseq's models: `front` instead of the first `skip` of the file, <mask> last.
Recipe fairseq(FolderVocabulary& files, const Json& config, const std::vector<UnigramPiece>& front, std::size_t skip) {
  const Model& model = *files.sentencepiece;
  std::vector<UnigramPiece> pieces = front;
  const std::vector<UnigramPiece> own = pieces_of(model);
  pieces.insert(pieces.end(), own.begin() + static_cast<std::ptrdiff_t>(std::min(skip, own.size())), own.end());
  const std::string mask = content_of(config, "mask_token", "<mask>");
  pieces.emplace_back(mask, 0.0);
  Recipe out;
  out.model = std::make_unique<Unigram>(pieces, 3, false);
  split_at_whitespace(out, model, config);
  out.roles = {{"bos_token", "<s>"},   {"eos_token", "</s>"}, {"unk_token", "<unk>"},  {"sep_token", "</s>"},
               {"pad_token", "<pad>"}, {"cls_token", "<s>"},  {"mask_token", "<mask>"}};
  out.more = added_pieces(model);
  out.post_processor = [](const Recipe::RoleOf& role, const Recipe::Lookup& id_of) {
    const std::string end = role("eos_token");
    return template_post_processor({role("bos_token")}, {end}, {end, end}, 0, id_of);
  };
  return out;
}

Recipe xlm_roberta(FolderVocabulary& files, const Json& config) {
  return fairseq(files, config, {{"<s>", 0.0}, {"<pad>", 0.0}, {"</s>", 0.0}, {"<unk>", 0.0}}, 3);
}

Recipe camembert(FolderVocabulary& files, const Json& config) {
  Recipe out =
      fairseq(files, config,
              {{"<s>NOTUSED", 0.0}, {"<pad>", 0.0}, {"</s>NOTUSED", 0.0}, {"<unk>", 0.0}, {"<unk>NOTUSED", -100.0}}, 1);
  out.roles.back().lstrip = true;
  return out;
}

Recipe albert(FolderVocabulary& files, const Json& config) {
  const Model& model = *files.sentencepiece;
  Recipe out;
  out.model = std::make_unique<Unigram>(pieces_of(model), 1, false);
  split_at_whitespace(out, model, config);
  Json::Array steps = {
      parse(R"({"type":"Replace","pattern":{"String":"``"},"content":"\""})"),
      parse(R"({"type":"Replace","pattern":{"String":"''"},"content":"\""})"),
  };
  if (!flag(config, "keep_accents", false)) {
    steps.push_back(parse(R"({"type":"NFKD"})"));
    steps.push_back(parse(R"({"type":"StripAccents"})"));
  }
  if (flag(config, "do_lower_case", true)) steps.push_back(parse(R"({"type":"Lowercase"})"));
  if (!model.charsmap.empty()) steps.push_back(precompiled(model));
  out.normalizer = Json::Object{{"type", "Sequence"}, {"normalizers", std::move(steps)}};
  out.roles = {{"bos_token", "[CLS]"}, {"eos_token", "[SEP]"}, {"unk_token", "<unk>"},  {"sep_token", "[SEP]"},
               {"pad_token", "<pad>"}, {"cls_token", "[CLS]"}, {"mask_token", "[MASK]"}};
  out.more = added_pieces(model);
  out.post_processor = [](const Recipe::RoleOf&, const Recipe::Lookup& id_of) {
    return template_post_processor({"[CLS]"}, {"[SEP]"}, {"[SEP]"}, 1, id_of);
  };
  return out;
}

Recipe deberta_v2(FolderVocabulary& files, const Json& config) {
  const Model& model = *files.sentencepiece;
  Recipe out;
  const std::vector<UnigramPiece> pieces = pieces_of(model);
  const std::string unk = content_of(config, "unk_token", "[UNK]");
  const auto found = std::find(pieces.begin(), pieces.end(), UnigramPiece(unk, 0.0));
  const TokenId unk_id = found != pieces.end() ? static_cast<TokenId>(found - pieces.begin()) : model.unk_id;
  out.model = std::make_unique<Unigram>(pieces, unk_id, false);
  Json::Array steps;
  if (flag(config, "do_lower_case", false)) steps.push_back(parse(R"({"type":"Lowercase"})"));
  steps.push_back(parse(R"({"type":"Replace","pattern":{"Regex":"\\s{2,}|[\\n\\r\\t]"},"content":" "})"));
  steps.push_back(parse(R"({"type":"NFC"})"));
  steps.push_back(parse(R"({"type":"Strip","strip_left":false,"strip_right":true})"));
  out.normalizer = Json::Object{{"type", "Sequence"}, {"normalizers", std::move(steps)}};
  const Json metaspace = Json::Object{{"type", "Metaspace"},
                                      {"prepend_scheme", flag(config, "add_prefix_space", true) ? "always" : "first"}};
  Json::Array cuts;
  if (flag(config, "split_by_punct", false)) cuts.push_back(parse(R"({"type":"Punctuation","behavior":"Isolated"})"));
  cuts.push_back(metaspace);
  out.pre_tokenizer = Json::Object{{"type", "Sequence"}, {"pretokenizers", std::move(cuts)}};
  out.decoder = metaspace;
  out.roles = {{"bos_token", "[CLS]"}, {"eos_token", "[SEP]"}, {"unk_token", "[UNK]"},  {"sep_token", "[SEP]"},
               {"pad_token", "[PAD]"}, {"cls_token", "[CLS]"}, {"mask_token", "[MASK]"}};
  out.more = added_pieces(model);
  out.post_processor = [](const Recipe::RoleOf& role, const Recipe::Lookup& id_of) {
    return template_post_processor({role("cls_token")}, {role("sep_token")}, {role("sep_token")}, 1, id_of);
  };
  return out;
}

enum class Needs { vocabulary, merges, unigram, bpe_model, renumbered };

struct Entry {
  std::string_view name;
  Needs needs;
  Recipe (*make)(FolderVocabulary&, const Json&);
};

constexpr Entry recipe_table[] = {
    {"BertTokenizer", Needs::vocabulary, bert},
    {"DistilBertTokenizer", Needs::vocabulary, bert},
    {"ElectraTokenizer", Needs::vocabulary, bert},
    {"MobileBertTokenizer", Needs::vocabulary, bert},
    {"ConvBertTokenizer", Needs::vocabulary, bert},
    {"SqueezeBertTokenizer", Needs::vocabulary, bert},
    {"LayoutLMTokenizer", Needs::vocabulary, bert},
    {"LxmertTokenizer", Needs::vocabulary, bert},
    {"RetriBertTokenizer", Needs::vocabulary, bert},
    {"DPRReaderTokenizer", Needs::vocabulary, bert},
    {"DPRQuestionEncoderTokenizer", Needs::vocabulary, bert},
    {"DPRContextEncoderTokenizer", Needs::vocabulary, bert},
    {"MPNetTokenizer", Needs::vocabulary, mpnet},
    {"GPT2Tokenizer", Needs::merges, gpt2},
    {"CodeGenTokenizer", Needs::merges, gpt2},
    {"WhisperTokenizer", Needs::merges, gpt2},
    {"RobertaTokenizer", Needs::merges, roberta},
    {"BartTokenizer", Needs::merges, roberta},
    {"LongformerTokenizer", Needs::merges, roberta},
    {"LEDTokenizer", Needs::merges, roberta},
    {"MvpTokenizer", Needs::merges, roberta},
    {"DebertaTokenizer", Needs::merges, deberta},
    {"Qwen2Tokenizer", Needs::merges, qwen2},
    {"CLIPTokenizer", Needs::merges, clip},
    {"OpenAIGPTTokenizer", Needs::merges, openai_gpt},
    {"LlamaTokenizer", Needs::bpe_model, llama},
    {"CodeLlamaTokenizer", Needs::bpe_model, llama},
    {"GemmaTokenizer", Needs::bpe_model, gemma},
    {"T5Tokenizer", Needs::unigram, t5},
    {"MT5Tokenizer", Needs::unigram, t5},
    {"XLMRobertaTokenizer", Needs::unigram, xlm_roberta},
    {"CamembertTokenizer", Needs::unigram, camembert},
    {"AlbertTokenizer", Needs::unigram, albert},
    {"DebertaV2Tokenizer", Needs::unigram, deberta_v2},
    {"MBartTokenizer", Needs::unigram, mbart},
    {"MBart50Tokenizer", Needs::unigram, mbart50},
    {"PegasusTokenizer", Needs::unigram, pegasus},
    {"XLNetTokenizer", Needs::unigram, xlnet},
    {"BigBirdTokenizer", Needs::unigram, big_bird},
    {"BarthezTokenizer", Needs::unigram, barthez},
    {"RemBertTokenizer", Needs::unigram, rembert},
    {"FNetTokenizer", Needs::unigram, fnet},
    {"ReformerTokenizer", Needs::bpe_model, reformer},
    {"XGLMTokenizer", Needs::unigram, xglm},
    {"BlenderbotTokenizer", Needs::merges, blenderbot},
    {"NllbTokenizer", Needs::bpe_model, nllb},
    {"M2M100Tokenizer", Needs::renumbered, m2m_100},
    {"MarianTokenizer", Needs::renumbered, marian},
};

}  // namespace

std::optional<Recipe> find_recipe(std::string_view name, FolderVocabulary& files, const Json& config) {
  for (const Entry& entry : recipe_table) {
    if (entry.name != name) continue;
    const auto is_model = [&](Model::Type type) { return files.sentencepiece && files.sentencepiece->type == type; };
    bool there = false;
    switch (entry.needs) {
      case Needs::vocabulary: there = files.tokens.has_value(); break;
      case Needs::merges: there = files.tokens && !files.merges.empty(); break;
      case Needs::unigram: there = is_model(Model::Type::unigram); break;
      case Needs::bpe_model: there = is_model(Model::Type::bpe); break;
      case Needs::renumbered: there = files.sentencepiece && files.tokens; break;
    }
    return there ? std::optional(entry.make(files, config)) : std::nullopt;
  }
  return std::nullopt;
}

std::string_view class_of_model_type(std::string_view model_type) {
  constexpr std::pair<std::string_view, std::string_view> classes[] = {{"bert", "BertTokenizer"},
                                                                       {"distilbert", "DistilBertTokenizer"},
                                                                       {"electra", "ElectraTokenizer"},
                                                                       {"mobilebert", "MobileBertTokenizer"},
                                                                       {"convbert", "ConvBertTokenizer"},
                                                                       {"mpnet", "MPNetTokenizer"},
                                                                       {"gpt2", "GPT2Tokenizer"},
                                                                       {"whisper", "WhisperTokenizer"},
                                                                       {"roberta", "RobertaTokenizer"},
                                                                       {"bart", "BartTokenizer"},
                                                                       {"longformer", "LongformerTokenizer"},
                                                                       {"deberta", "DebertaTokenizer"},
                                                                       {"qwen2", "Qwen2Tokenizer"},
                                                                       {"qwen3", "Qwen2Tokenizer"},
                                                                       {"clip", "CLIPTokenizer"},
                                                                       {"openai-gpt", "OpenAIGPTTokenizer"},
                                                                       {"llama", "LlamaTokenizer"},
                                                                       {"mistral", "LlamaTokenizer"},
                                                                       {"gemma", "GemmaTokenizer"},
                                                                       {"gemma2", "GemmaTokenizer"},
                                                                       {"t5", "T5Tokenizer"},
                                                                       {"mt5", "T5Tokenizer"},
                                                                       {"xlm-roberta", "XLMRobertaTokenizer"},
                                                                       {"camembert", "CamembertTokenizer"},
                                                                       {"albert", "AlbertTokenizer"},
                                                                       {"deberta-v2", "DebertaV2Tokenizer"},
                                                                       {"mbart", "MBartTokenizer"},
                                                                       {"pegasus", "PegasusTokenizer"},
                                                                       {"xlnet", "XLNetTokenizer"},
                                                                       {"big_bird", "BigBirdTokenizer"},
                                                                       {"m2m_100", "M2M100Tokenizer"},
                                                                       {"rembert", "RemBertTokenizer"},
                                                                       {"fnet", "FNetTokenizer"},
                                                                       {"reformer", "ReformerTokenizer"},
                                                                       {"xglm", "XGLMTokenizer"},
                                                                       {"blenderbot", "BlenderbotTokenizer"},
                                                                       {"marian", "MarianTokenizer"}};
  for (const auto& [type, name] : classes)
    if (type == model_type) return name;
  return "";
}

Json template_post_processor(const Strings& before, const Strings& after, const Strings& between, int second_type,
                             const Recipe::Lookup& id_of) {
  Json table = Json::object();
  const auto add = [&](Json::Array& to, const Strings& tokens, int type) {
    for (const std::string& token : tokens) {
      table.set(token,
                Json::Object{{"id", token}, {"ids", Json::Array{id_of(token)}}, {"tokens", Json::Array{Json(token)}}});
      to.push_back(Json::Object{{"SpecialToken", Json::Object{{"id", token}, {"type_id", type}}}});
    }
  };
  const auto text = [](const char* name, int type) -> Json {
    return Json::Object{{"Sequence", Json::Object{{"id", name}, {"type_id", type}}}};
  };
  Json::Array single, pair;
  for (Json::Array* const list : {&single, &pair}) {
    add(*list, before, 0);
    list->push_back(text("A", 0));
  }
  add(single, after, 0);
  add(pair, between, 0);
  pair.push_back(text("B", second_type));
  add(pair, after, second_type);
  return Json::Object{{"type", "TemplateProcessing"},
                      {"single", std::move(single)},
                      {"pair", std::move(pair)},
                      {"special_tokens", std::move(table)}};
}

}  // namespace trustformers
