#include <deque>
#include <limits>

#include "../base/file.h"
#include "../base/json_reader.h"
#include "bpe.h"
#include "tokenizer_parts.h"
#include "unigram.h"
#include "word_piece.h"

namespace trustformers {
namespace {

/// The object `model`. Its large tables would be slow and large as Json values; texts in them are parts of the file, or
/// of `resolved` where they have escapes.
struct ModelText {
  Json small = Json::object();  // the other members
  std::optional<std::vector<Vocabulary::Entry>> vocab;
  std::optional<std::vector<UnigramPiece>> pieces;
  std::optional<std::vector<Bpe::Pair>> merges;
  std::deque<std::string> resolved;
};

class ModelReader {
 public:
  ModelReader(JsonReader& reader, std::string_view where) : reader_(reader) {
    std::string key;
    for (reader.enter_object(); reader.next_key(key);) {
      const JsonReader::Kind kind = reader.peek();
      if (key == "vocab" && kind == JsonReader::Kind::object)
        read_vocab();
      else if (key == "vocab" && kind == JsonReader::Kind::array)
        read_pieces();
      else if (key == "merges" && kind == JsonReader::Kind::array)
        read_merges();
      else
        out_.small.set(key, Json::parse(reader.skip(), str(where, ": model.", key)));
    }
  }
  ModelText take() { return std::move(out_); }

 private:
  std::string_view text() {
    const std::string_view read = reader_.string(scratch_);
    return read.data() == scratch_.data() ? out_.resolved.emplace_back(read) : read;
  }
  /// One array of two entries that `first` and `second` read; `index` and `table` are for errors.
  void two(std::size_t index, std::string_view table, auto&& first, auto&& second) {
    const auto need = [&](bool holds) {
      if (!holds) reader_.refuse(str("model.", table, "[", index, "] must have two entries"));
    };
    reader_.enter_array();
    need(reader_.next_item());
    first();
    need(reader_.next_item());
    second();
    need(!reader_.next_item());
  }

  void read_vocab() {
    auto& vocab = out_.vocab.emplace();
    std::string_view token;
    for (reader_.enter_object(); reader_.next_key(token, scratch_);) {
      if (token.data() == scratch_.data()) token = out_.resolved.emplace_back(token);
      if (reader_.peek() != JsonReader::Kind::number) reader_.refuse("model.vocab: an id expected");
      vocab.emplace_back(token, reader_.integer());
    }
  }
  void read_pieces() {
    auto& pieces = out_.pieces.emplace();
    for (reader_.enter_array(); reader_.next_item();)
      two(
          pieces.size(), "vocab", [&] { pieces.emplace_back(text(), 0.0); },
          [&] { pieces.back().second = reader_.number(); });
  }
  void read_merges() {
    auto& merges = out_.merges.emplace();
    for (reader_.enter_array(); reader_.next_item();) {
      if (reader_.peek() == JsonReader::Kind::string) {  // older files: "left right"
        const std::string_view both = text();
        const std::size_t blank = both.find(' ');
        check(blank != std::string_view::npos && both.find(' ', blank + 1) == std::string_view::npos, ErrorCode::parse,
              "[tokenizer] model.merges: \"left right\" expected, got \"", both, '"');
        merges.emplace_back(both.substr(0, blank), both.substr(blank + 1));
      } else {
        two(
            merges.size(), "merges", [&] { merges.emplace_back().first = text(); },
            [&] { merges.back().second = text(); });
      }
    }
  }

  JsonReader& reader_;
  ModelText out_;
  std::string scratch_;
};

template <class Table>
const Table& table(const std::optional<Table>& given, std::string_view what) {
  check(given.has_value(), ErrorCode::parse, "[tokenizer] ", what, " expected");
  return *given;
}

Vocabulary make_vocabulary(const ModelText& model) {
  Vocabulary vocabulary;
  vocabulary.add(table(model.vocab, "model.vocab as an object"), "model.vocab");
  return vocabulary;
}

std::unique_ptr<TokenModel> make_bpe(const Spec& spec, const ModelText& model) {
  BpeOptions options;
  if (spec.has("unk_token")) options.unk_token = spec.text("unk_token");
  options.continuing_subword_prefix = spec.text("continuing_subword_prefix", "");
  options.end_of_word_suffix = spec.text("end_of_word_suffix", "");
  options.fuse_unk = spec.flag("fuse_unk", false);
  options.byte_fallback = spec.flag("byte_fallback", false);
  options.ignore_merges = spec.flag("ignore_merges", false);
  auto bpe = std::make_unique<Bpe>(make_vocabulary(model), std::move(options));
  bpe->add_merges(table(model.merges, "model.merges as an array"));
  return bpe;
}

std::unique_ptr<TokenModel> make_unigram(const Spec& spec, const ModelText& model) {
  const auto& pieces = table(model.pieces, "model.vocab as an array");
  TokenId unk_id = -1;
  if (spec.has("unk_id")) {
    const std::size_t id = spec.size("unk_id");
    check(id < pieces.size(), ErrorCode::parse, "[tokenizer] ", spec.path_of("unk_id"), " must be less than the ",
          pieces.size(), " pieces, got ", id);
    unk_id = static_cast<TokenId>(id);
  }
  return std::make_unique<Unigram>(pieces, unk_id, spec.flag("byte_fallback", false));
}

std::unique_ptr<TokenModel> make_word_piece(const Spec& spec, const ModelText& model) {
  WordPieceOptions options;
  options.unk_token = spec.text("unk_token", "[UNK]");
  options.continuing_subword_prefix = spec.text("continuing_subword_prefix", "##");
  options.max_input_chars_per_word = spec.size("max_input_chars_per_word", 100);
  return std::make_unique<WordPiece>(make_vocabulary(model), std::move(options));
}

std::unique_ptr<TokenModel> make_model(const ModelText& model) {
  const Spec spec(model.small, "model");
  std::string type;
  if (spec.has("type")) {
    type = spec.type();
  } else {  // files of the first versions do not say: what there is tells
    type = model.merges                           ? "BPE"
           : spec.has("unk_id")                   ? "Unigram"
           : spec.has("max_input_chars_per_word") ? "WordPiece"
                                                  : "WordLevel";
  }
  if (type == "BPE") return make_bpe(spec, model);
  if (type == "Unigram") return make_unigram(spec, model);
  if (type == "WordPiece") return make_word_piece(spec, model);
  if (type == "WordLevel") return std::make_unique<WordLevel>(make_vocabulary(model), spec.text("unk_token", "<unk>"));
  spec.unsupported(type);
}

std::vector<AddedToken> read_added_tokens(const Spec& root, const Vocabulary& vocabulary) {
  std::vector<AddedToken> tokens;
  if (!root.has("added_tokens")) return tokens;
  for (const Spec& entry : root.list("added_tokens")) {
    AddedToken token;
    token.content = entry.text("content");
    token.special = entry.flag("special", false);
    token.single_word = entry.flag("single_word", false);
    token.lstrip = entry.flag("lstrip", false);
    token.rstrip = entry.flag("rstrip", false);
    token.normalized = entry.flag("normalized", !token.special);
    const std::size_t id = entry.size("id");
    check(id <= static_cast<std::size_t>(std::numeric_limits<TokenId>::max()), ErrorCode::parse, "[tokenizer] ",
          entry.path_of("id"), " is too large: ", id);
    // A token that the model knows keeps the model's id.
    token.id = vocabulary.find(token.content);
    if (token.id < 0) token.id = static_cast<TokenId>(id);
    tokens.push_back(std::move(token));
  }
  return tokens;
}

Side read_side(const Spec& spec) {
  const std::string name = spec.text("direction", "Right");
  check(name == "Right" || name == "Left", ErrorCode::parse, "[tokenizer] ", spec.path_of("direction"),
        " must be Left or Right, got \"", name, '"');
  return name == "Left" ? Side::left : Side::right;
}

Truncation read_truncation(const Spec& spec) {
  Truncation truncation;
  truncation.max_length = spec.size("max_length");
  truncation.stride = spec.size("stride", 0);
  truncation.direction = read_side(spec);
  const std::string strategy = spec.text("strategy", "LongestFirst");
  if (strategy == "OnlyFirst")
    truncation.strategy = TruncationStrategy::only_first;
  else if (strategy == "OnlySecond")
    truncation.strategy = TruncationStrategy::only_second;
  else
    check(strategy == "LongestFirst", ErrorCode::parse, "[tokenizer] ", spec.path_of("strategy"),
          " must be LongestFirst, OnlyFirst or OnlySecond, got \"", strategy, '"');
  return truncation;
}

Padding read_padding(const Spec& spec) {
  Padding padding;
  const Spec strategy = spec.at("strategy");
  if (strategy.json().is_object()) padding.length = strategy.size("Fixed");
  padding.direction = read_side(spec);
  padding.multiple_of = spec.size("pad_to_multiple_of", 0);
  padding.pad_id = static_cast<TokenId>(spec.size("pad_id", 0) & 0x7FFFFFFF);
  padding.pad_type_id = static_cast<std::int32_t>(spec.size("pad_type_id", 0) & 0x7FFFFFFF);
  padding.pad_token = spec.text("pad_token", "[PAD]");
  return padding;
}

}  // namespace

TokenizerParts parts_from_json(std::string_view text, std::string_view where) {
  JsonReader reader(text, where);
  Json small = Json::object();  // all but the model
  std::unique_ptr<TokenModel> model;
  std::string key;
  for (reader.enter_object(); reader.next_key(key);) {
    if (key == "model") {
      if (reader.peek() != JsonReader::Kind::object) reader.refuse("model: an object expected");
      model = make_model(ModelReader(reader, where).take());
    } else {
      small.set(key, Json::parse(reader.skip(), str(where, ": ", key)));
    }
  }
  reader.finish();
  check(model != nullptr, ErrorCode::parse, "[tokenizer.json] has no \"model\"");
  const Spec root(small, "tokenizer.json");
  const auto part = [&](std::string_view name) { return Spec(root.at(name).json(), std::string(name)); };
  TokenizerParts parts;
  parts.model = std::move(model);
  if (root.has("normalizer")) parts.normalizer = make_normalizer(part("normalizer"));
  if (root.has("pre_tokenizer")) parts.pre_tokenizer = make_pre_tokenizer(part("pre_tokenizer"));
  if (root.has("post_processor")) parts.post_processor = make_post_processor(part("post_processor"));
  if (root.has("decoder")) parts.decoder = make_decoder(part("decoder"));
  if (root.has("truncation")) parts.truncation = read_truncation(part("truncation"));
  if (root.has("padding")) parts.padding = read_padding(part("padding"));
  parts.set_added(read_added_tokens(root, parts.model->vocabulary()));
  return parts;
}

Tokenizer Tokenizer::from_json(std::string_view text, std::string_view where) {
  return with_context([&] { return str("while reading the tokenizer ", where); },
                      [&] { return Tokenizer(std::make_shared<const TokenizerParts>(parts_from_json(text, where))); });
}

Tokenizer Tokenizer::from_file(const std::filesystem::path& path) {
  return from_json(read_text_file(path), path.filename().string());
}

}  // namespace trustformers
