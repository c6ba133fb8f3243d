#include "tokenizer_cases.h"

#include <cstdlib>
#include <functional>
#include <map>

#include "../../src/base/file.h"
#include "../../src/base/utf8.h"
#include "../../src/hub/cache.h"
#include "../../src/models/gguf_tokenizer.h"
#include "../../src/tokenizers/decoders.h"
#include "../../src/tokenizers/normalizers.h"
#include "../../src/tokenizers/pre_tokenizers.h"
#include "../../src/tokenizers/tokenizer.h"
#include "../../src/weights/gguf.h"

namespace trustformers::goldens {
namespace {

namespace fs = std::filesystem;
using TokenIds = std::vector<std::int32_t>;

Json read_json(const fs::path& path) { return Json::parse(read_text_file(path), path.filename().string()); }

/// A list of numbers; null is -1.
TokenIds numbers(const Json& list) {
  TokenIds out;
  for (const Json& item : list.as_array("ids"))
    out.push_back(item.is_null() ? -1 : static_cast<std::int32_t>(item.as_int("id")));
  return out;
}

TokenIds flat(const std::vector<SourceRange>& offsets) {
  TokenIds out;
  for (const SourceRange& range : offsets) {
    out.push_back(static_cast<std::int32_t>(range.begin));
    out.push_back(static_cast<std::int32_t>(range.end));
  }
  return out;
}

/// Comparisons of one kind: how many there were, how many failed, and which failed first.
class Tally {
 public:
  template <class T>
  void compare(const std::string& kind, const std::string& row, const T& got, const T& expected) {
    judge(kind, row, got == expected);
  }
  void judge(const std::string& kind, const std::string& row, bool equal) {
    Count& count = counts_[kind];
    ++count.total;
    if (!equal && count.wrong++ == 0) count.first = row;
  }
  void write(const std::string& run, Report& report) const {
    for (const auto& [kind, count] : counts_) {
      const std::string item = count.wrong == 0 ? str(kind, " (", count.total, ')')
                                                : str(kind, " (", count.total, ", first ", count.first, ')');
      report.add(run, item, static_cast<double>(count.wrong), 0, count.wrong == 0);
    }
  }

 private:
  struct Count {
    std::size_t total = 0;
    std::size_t wrong = 0;
    std::string first;
  };
  std::map<std::string, Count> counts_;
};

class TokenizerCase {
 public:
  TokenizerCase(const fs::path& folder, const Json& about, Report& report) : folder_(folder), report_(report) {
    if (const Json* corpus = about.find("corpus"); corpus && fs::exists(folder / corpus->as_string("corpus")))
      corpus_ = read_json(folder / corpus->as_string("corpus"));
  }

  /// `show_tokens`: the rows say what the tokens look like; `only_text`: the reference takes special tokens in a text
  /// for plain text.
  void encodings(const Tokenizer& tokenizer, const Json& rows, bool show_tokens, bool only_text) {
    Tally tally;
    for (const Json& row : rows.as_array("encode")) {
      const std::string text = text_of(row.at("text"));
      const std::string name = row.at("text").dump();
      const Encoding full = tokenizer.encode(text, {.parse_special_tokens = !only_text});
      tally.compare("ids", name, full.ids, numbers(row.at("ids")));
      if (const Json* ordinary = row.find("ids_ordinary"))
        tally.compare("ids of plain text", name, tokenizer.encode(text, {.parse_special_tokens = false}).ids,
                      numbers(*ordinary));
      if (only_text) continue;
      tally.compare("ids without special tokens", name, tokenizer.encode(text, {.add_special_tokens = false}).ids,
                    numbers(row.at(row.find("ids_plain") ? "ids_plain" : "ids")));
      std::vector<std::string> tokens;
      if (const Json* given = row.find("tokens")) {
        for (const Json& token : given->as_array("tokens")) tokens.push_back(token.as_string("token"));
      } else {
        for (const TokenId id : full.ids) tokens.push_back(tokenizer.id_to_token(id).value_or(""));
      }
      if (show_tokens) tally.compare("tokens", name, full.tokens, tokens);
      if (const Json* offsets = row.find("offsets"))
        tally.compare("offsets", name, flat(full.offsets), numbers(*offsets));
      if (const Json* words = row.find("words")) tally.compare("words", name, full.word_ids, numbers(*words));
      const std::string decoded = row.find("decode") ? row.at("decode").as_string("decode") : text;
      const std::string skipped = row.find("decode_skip") ? row.at("decode_skip").as_string("decode_skip") : decoded;
      tally.compare("decode", name, tokenizer.decode(full.ids), decoded);
      if (!row.find("ids_ordinary"))  // tiktoken has no such thing
        tally.compare("decode without special tokens", name, tokenizer.decode(full.ids, true), skipped);
    }
    tally.write("encode", report_);
  }

  void sentencepiece(const Tokenizer& tokenizer, const Json& rows) {
    Tally tally;
    for (const Json& row : rows.as_array("sentencepiece")) {
      const std::string text = text_of(row.at("text"));
      const TokenIds ids = numbers(row.at("ids"));
      tally.compare("ids", row.at("text").dump(), tokenizer.encode(text, {.parse_special_tokens = false}).ids, ids);
      tally.compare("decode", row.at("text").dump(), tokenizer.decode(ids),
                    row.find("decode") ? row.at("decode").as_string("decode") : text);
    }
    tally.write("sentencepiece", report_);
  }

  void pairs(const Tokenizer& tokenizer, const Json& rows) {
    Tally tally;
    for (const Json& row : rows.as_array("pairs")) {
      const std::string first = row.at("text").as_string("text");
      const std::string second = row.at("pair").as_string("pair");
      const Encoding got = tokenizer.encode({first, second});
      const std::string name = row.at("text").dump();
      tally.compare("ids", name, got.ids, numbers(row.at(row.find("ids") ? "ids" : "input_ids")));
      const auto optional = [&](std::string_view key, const TokenIds& value) {
        if (const Json* given = row.find(key)) tally.compare(std::string(key), name, value, numbers(*given));
      };
      optional("type_ids", got.type_ids);
      optional("token_type_ids", got.type_ids);
      optional("attention_mask", got.attention_mask);
      optional("special", got.special_tokens_mask);
      optional("offsets", flat(got.offsets));
      optional("sequence", got.sequence_ids);
    }
    tally.write("pairs", report_);
  }

  void decodings(const Tokenizer& tokenizer, const Json& rows) {
    Tally tally;
    for (const Json& row : rows.as_array("decode")) {
      const TokenIds ids = numbers(row.at("ids"));
      tally.compare("text", row.at("ids").dump(), tokenizer.decode(ids), row.at("text").as_string("text"));
      tally.compare("text without special tokens", row.at("ids").dump(), tokenizer.decode(ids, true),
                    row.at("skip").as_string("skip"));
    }
    tally.write("decode", report_);
  }

  void streams(const Tokenizer& tokenizer, const Json& rows) {
    Tally tally;
    for (const Json& row : rows.as_array("stream")) {
      const TokenIds ids = numbers(row.at("ids"));
      const Json::Array& pieces = row.at("pieces").as_array("pieces");
      DecodeStream stream(tokenizer);
      bool equal = true;
      std::string joined;
      for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto piece = stream.push(ids[i]);
        equal =
            equal && (piece ? pieces[i].is_string() && *piece == pieces[i].as_string("piece") : pieces[i].is_null());
        joined += piece.value_or("");
      }
      joined += stream.finish();
      tally.judge("pieces", row.at("ids").dump(), equal);
      tally.compare("pieces joined", row.at("ids").dump(), joined, tokenizer.decode(ids, true));
    }
    tally.write("stream", report_);
  }

  void truncations(const Json& rows) {
    Tally tally;
    for (const Json& row : rows.as_array("truncate")) {
      const Tokenizer& tokenizer = named(row.at("tokenizer").as_string("tokenizer"));
      const std::string strategy = row.at("strategy").as_string("strategy");
      Truncation truncation;
      truncation.max_length = static_cast<std::size_t>(row.at("max_length").as_int("max_length"));
      truncation.stride = static_cast<std::size_t>(row.at("stride").as_int("stride"));
      truncation.direction = row.at("direction").as_string("direction") == "left" ? Side::left : Side::right;
      if (strategy == "only_first") truncation.strategy = TruncationStrategy::only_first;
      if (strategy == "only_second") truncation.strategy = TruncationStrategy::only_second;
      EncodeInput input(std::string_view(row.at("text").as_string("text")));
      if (!row.at("pair").is_null()) input.pair = row.at("pair").as_string("pair");
      const std::string name = row.dump().substr(0, 160);
      try {
        const Encoding got = tokenizer.encode(input, {.truncation = truncation});
        tally.judge("refused", name, !row.find("error"));
        if (row.find("error")) continue;
        tally.compare("ids", name, got.ids, numbers(row.at("ids")));
        tally.compare("type_ids", name, got.type_ids, numbers(row.at("type_ids")));
        tally.compare("mask", name, got.attention_mask, numbers(row.at("mask")));
        tally.compare("special", name, got.special_tokens_mask, numbers(row.at("special")));
        const Json::Array& windows = row.at("overflow").as_array("overflow");
        bool equal = windows.size() == got.overflowing.size();
        for (std::size_t i = 0; equal && i < windows.size(); ++i)
          equal = got.overflowing[i].ids == numbers(windows[i].at("ids")) &&
                  got.overflowing[i].type_ids == numbers(windows[i].at("type_ids"));
        tally.judge("overflow", name, equal);
      } catch (const Error&) {
        tally.judge("refused", name, row.find("error") != nullptr);
      }
    }
    tally.write("truncate", report_);
  }

  void paddings(const Json& rows) {
    Tally tally;
    for (const Json& row : rows.as_array("pad")) {
      const Tokenizer& tokenizer = named(row.at("tokenizer").as_string("tokenizer"));
      Padding padding;
      padding.direction = row.at("direction").as_string("direction") == "left" ? Side::left : Side::right;
      if (!row.at("length").is_null()) padding.length = static_cast<std::size_t>(row.at("length").as_int("length"));
      if (!row.at("multiple").is_null())
        padding.multiple_of = static_cast<std::size_t>(row.at("multiple").as_int("multiple"));
      padding.pad_type_id = static_cast<std::int32_t>(row.at("pad_type_id").as_int("pad_type_id"));
      std::vector<EncodeInput> inputs;
      for (const Json& text : row.at("batch").as_array("batch")) {
        if (text.is_string())
          inputs.emplace_back(std::string_view(text.as_string("text")));
        else
          inputs.emplace_back(text.as_array("pair")[0].as_string("text"), text.as_array("pair")[1].as_string("pair"));
      }
      const auto got = tokenizer.encode_batch(inputs, {.padding = padding});
      const Json::Array& expected = row.at("rows").as_array("rows");
      for (std::size_t i = 0; i < expected.size(); ++i) {
        const std::string name = row.dump().substr(0, 120);
        tally.compare("ids", name, got[i].ids, numbers(expected[i].at("ids")));
        tally.compare("type_ids", name, got[i].type_ids, numbers(expected[i].at("type_ids")));
        tally.compare("mask", name, got[i].attention_mask, numbers(expected[i].at("mask")));
      }
    }
    tally.write("pad", report_);
  }

  void components() {
    run_component("normalizers", [&](const Spec& spec, const Json::Array& row, Tally& tally) {
      AlignedText text = AlignedText::from_source(text_of(row[0]));
      make_normalizer(spec)->apply(text);
      tally.compare(spec.json().dump().substr(0, 80), row[0].dump(), std::string(text.text()),
                    row[1].as_string("text"));
    });
    run_component("pre_tokenizers", [&](const Spec& spec, const Json::Array& row, Tally& tally) {
      const AlignedText source = AlignedText::from_source(text_of(row[0]));
      PreTokenizedText text;
      text.append(source, 0, source.size());
      make_pre_tokenizer(spec)->apply(text);
      Json::Array pieces;
      for (const TextPiece& piece : text.pieces()) {
        const SourceRange range = text.aligned().source(piece.begin, piece.end);
        pieces.push_back(
            Json::Array{Json(text.text(piece)), Json(std::int64_t{range.begin}), Json(std::int64_t{range.end})});
      }
      tally.compare(spec.json().dump(), row[0].dump(), Json(pieces), row[1]);
    });
    run_component("decoders", [&](const Spec& spec, const Json::Array& row, Tally& tally) {
      std::vector<std::string> tokens;
      for (const Json& token : row[0].as_array("tokens")) tokens.push_back(token.as_string("token"));
      make_decoder(spec)->apply(tokens);
      std::string joined;
      for (const std::string& token : tokens) joined += token;
      tally.compare(spec.json().dump(), row[0].dump(), joined, row[1].as_string("text"));
    });
  }

 private:
  std::string text_of(const Json& text) const {
    return text.is_string()
               ? text.as_string("text")
               : corpus_.as_array("corpus").at(static_cast<std::size_t>(text.as_int("text"))).as_string("text");
  }

  const Tokenizer& named(const std::string& file) {
    const auto found = tokenizers_.find(file);
    return found != tokenizers_.end() ? found->second
                                      : tokenizers_.emplace(file, Tokenizer::from_file(folder_ / file)).first->second;
  }

  void run_component(const std::string& name, const std::function<void(const Spec&, const Json::Array&, Tally&)>& one) {
    if (!fs::exists(folder_ / (name + ".json"))) return;
    Tally tally;
    const Json file = read_json(folder_ / (name + ".json"));
    for (const Json& entry : file.at("cases").as_array("cases"))
      for (const Json& row : entry.at("rows").as_array("rows"))
        one(Spec(entry.at("spec"), name), row.as_array("row"), tally);
    tally.write(name, report_);
  }

  fs::path folder_;
  Report& report_;
  Json corpus_;
  std::map<std::string, Tokenizer> tokenizers_;
};

/// The published file that a case names, where tools/fetch_tokenizers.py has put it; empty when it is not there.
fs::path published_file(const fs::path& folder) {
  std::vector<fs::path> roots;
  if (const char* root = std::getenv("TRUSTFORMERS_TOKENIZERS")) roots.emplace_back(root);
  for (const fs::path& models : hub::fetched_models()) roots.push_back(models.parent_path() / "tokenizers");
  for (const fs::path& root : roots)
    for (const char* const ending : {".json", ".model"})
      if (const fs::path path = root / (folder.filename().string() + ending); fs::exists(path)) return path;
  return {};
}

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

/// The tokenizer of the case: its own files, or a published one.
std::optional<Tokenizer> open_case(const fs::path& folder, const Json& about) {
  if (fs::exists(folder / "tokenizer.json")) return Tokenizer::from_file(folder / "tokenizer.json");
  if (about.find("package")) {
    const fs::path file = published_file(folder);
    if (file.empty()) return std::nullopt;
    if (file.extension() == ".json") return Tokenizer::from_file(file);
    return Tokenizer::from_sentencepiece(bytes_of(read_text_file(file)));
  }
  if (const Json* pattern = about.find("pattern")) {
    std::vector<std::pair<std::string, TokenId>> special;
    for (const auto& [token, id] : about.at("special_tokens").as_object())
      special.emplace_back(token, static_cast<TokenId>(id.as_int()));
    return Tokenizer::from_tiktoken(read_text_file(folder / "vocab.tiktoken"), pattern->as_string(), special);
  }
  if (about.find("files")) return Tokenizer::from_pretrained(folder);
  return std::nullopt;
}

/// The sentencepiece model of a folder.
fs::path model_file(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".model") return entry.path();
  return {};
}

/// RWKV's own format: texts, and bytes that need not be UTF-8.
void run_rwkv_case(const fs::path& folder, const Json& about, Report& report) {
  const Tokenizer tokenizer = Tokenizer::from_rwkv_world(read_text_file(folder / about.at("vocab_file").as_string()));
  Tally tally;
  for (const Json& row : about.at("encode").as_array()) {
    const std::string text = row.at("text").as_string();
    tally.compare("ids", row.at("text").dump(), tokenizer.encode(text).ids, numbers(row.at("ids")));
    tally.compare("decode", row.at("text").dump(), tokenizer.decode(numbers(row.at("ids"))), text);
  }
  for (const Json& row : about.at("decode_bytes").as_array()) {
    std::string bytes;
    for (const Json& byte : row.at("bytes").as_array()) bytes.push_back(static_cast<char>(byte.as_int()));
    tally.compare("decode bytes", row.dump(), tokenizer.decode(numbers(row.at("ids"))), replace_invalid_utf8(bytes));
  }
  tally.write("rwkv", report);
}

}  // namespace

void run_tokenizer_case(const fs::path& folder, Report& report) {
  const Json about = read_json(folder / "case.json");
  if (about.find("vocab_file")) return run_rwkv_case(folder, about, report);
  TokenizerCase tests(folder, about, report);
  tests.components();
  if (!about.find("cases") || !fs::exists(folder / "cases.json")) {
    if (report.rows().empty()) report.skip("no rows of a kind that is known here");
    return;
  }
  const Json cases = read_json(folder / "cases.json");
  if (const Json* rows = cases.find("truncate")) tests.truncations(*rows);
  if (const Json* rows = cases.find("pad")) tests.paddings(*rows);
  if (!cases.find("encode") && !cases.find("sentencepiece")) {
    if (report.rows().empty()) report.skip("no rows of a kind that is known here");
    return;
  }
  const std::optional<Tokenizer> tokenizer = open_case(folder, about);
  if (!tokenizer) return report.skip("a published tokenizer that is not on this machine (tools/fetch_tokenizers.py)");
  if (const Json* rows = cases.find("encode"))
    tests.encodings(*tokenizer, *rows, !about.find("files"), fs::exists(folder / "tekken.json"));
  if (const Json* rows = cases.find("pairs")) tests.pairs(*tokenizer, *rows);
  if (const Json* rows = cases.find("decode")) tests.decodings(*tokenizer, *rows);
  if (const Json* rows = cases.find("stream")) tests.streams(*tokenizer, *rows);
  if (const Json* rows = cases.find("sentencepiece")) {
    const fs::path file = about.find("package") ? published_file(folder) : model_file(folder);
    tests.sentencepiece(Tokenizer::from_sentencepiece(bytes_of(read_text_file(file))), *rows);
  }
}

void run_gguf_tokens(const fs::path& folder, Report& report) {
  const Json rows = read_json(folder / "tokens.json");
  const auto file = open_gguf(folder / "model.gguf");
  const GgufVocabulary vocabulary = read_gguf_vocabulary(file->metadata());
  const Tokenizer tokenizer = Tokenizer::from_gguf(vocabulary);
  // Reference of the rows: sentencepiece, for which special tokens in a text are plain text, or Hugging Face's library;
  // special tokens around the text are there for BERT alone.
  EncodeOptions options;
  options.add_special_tokens = vocabulary.model == "bert";
  options.parse_special_tokens = vocabulary.model != "llama";
  Tally tally;
  for (const Json& row : rows.at("encode").as_array("encode"))
    tally.compare("ids", row.at("text").dump(), tokenizer.encode(row.at("text").as_string("text"), options).ids,
                  numbers(row.at("ids")));
  options.parse_special_tokens = true;
  if (const Json* parsed = rows.find("llamacpp_parse_special"); parsed && vocabulary.model == "llama")
    for (const Json& row : parsed->as_array("llamacpp_parse_special"))
      tally.compare("ids with special tokens", row.at("text").dump(),
                    tokenizer.encode(row.at("text").as_string("text"), options).ids, numbers(row.at("ids")));
  tally.write("tokens", report);
}

}  // namespace trustformers::goldens
