#include <limits>

#include "../base/file.h"
#include "bpe.h"
#include "tokenizer_parts.h"
#include "unigram.h"
#include "word_piece.h"

namespace trustformers {
namespace {

Vocabulary read_vocabulary(const Spec& model) {
  const Spec table = model.at("vocab");
  const Json::Object& members = table.json().as_object(table.path());
  std::size_t bytes = 0;
  for (const auto& member : members) bytes += member.first.size();
  Vocabulary vocabulary;
  vocabulary.reserve(members.size(), bytes);
  for (const auto& [token, id] : members) vocabulary.add(token, id.as_int(table.path()), table.path());
  return vocabulary;
}

std::unique_ptr<TokenModel> read_bpe(const Spec& model) {
  BpeOptions options;
  if (model.has("unk_token")) options.unk_token = model.text("unk_token");
  options.continuing_subword_prefix = model.text("continuing_subword_prefix", "");
  options.end_of_word_suffix = model.text("end_of_word_suffix", "");
  options.fuse_unk = model.flag("fuse_unk", false);
  options.byte_fallback = model.flag("byte_fallback", false);
  options.ignore_merges = model.flag("ignore_merges", false);
  auto bpe = std::make_unique<Bpe>(read_vocabulary(model), std::move(options));
  const std::string path = model.path_of("merges");
  const Json::Array& merges = model.at("merges").json().as_array(path);
  bpe->reserve_merges(merges.size());
  for (const Json& merge : merges) {
    if (merge.is_string()) {  // older files: "left right"
      const std::string_view text = merge.as_string(path);
      const std::size_t blank = text.find(' ');
      check(blank != std::string_view::npos && text.find(' ', blank + 1) == std::string_view::npos, ErrorCode::parse,
            "[tokenizer] ", path, ": \"left right\" expected, got \"", text, '"');
      bpe->add_merge(text.substr(0, blank), text.substr(blank + 1));
    } else {
      const Json::Array& pair = merge.as_array(path);
      check(pair.size() == 2, ErrorCode::parse, "[tokenizer] ", path, ": [left, right] expected, got ", pair.size(),
            " entries");
      bpe->add_merge(pair[0].as_string(path), pair[1].as_string(path));
    }
  }
  return bpe;
}

std::unique_ptr<TokenModel> read_unigram(const Spec& model) {
  std::vector<std::pair<std::string, double>> pieces;
  const std::string path = model.path_of("vocab");
  for (const Json& entry : model.at("vocab").json().as_array(path)) {
    const Json::Array& pair = entry.as_array(path);
    check(pair.size() == 2, ErrorCode::parse, "[tokenizer] ", path, '[', pieces.size(),
          "]: [piece, score] expected, got ", pair.size(), " entries");
    pieces.emplace_back(pair[0].as_string(path), pair[1].as_double(path));
  }
  TokenId unk_id = -1;
  if (model.has("unk_id")) {
    const std::size_t id = model.size("unk_id");
    check(id < pieces.size(), ErrorCode::parse, "[tokenizer] ", model.path_of("unk_id"), " must be less than the ",
          pieces.size(), " pieces, got ", id);
    unk_id = static_cast<TokenId>(id);
  }
  return std::make_unique<Unigram>(pieces, unk_id, model.flag("byte_fallback", false));
}

std::unique_ptr<TokenModel> read_word_piece(const Spec& model) {
  WordPieceOptions options;
  options.unk_token = model.text("unk_token", "[UNK]");
  options.continuing_subword_prefix = model.text("continuing_subword_prefix", "##");
  options.max_input_chars_per_word = model.size("max_input_chars_per_word", 100);
  return std::make_unique<WordPiece>(read_vocabulary(model), std::move(options));
}

std::unique_ptr<TokenModel> read_model(const Spec& model) {
  std::string type;
  if (model.has("type")) {
    type = model.type();
  } else {  // files of the first versions do not say: what there is tells
    type = model.has("merges")                     ? "BPE"
           : model.has("unk_id")                   ? "Unigram"
           : model.has("max_input_chars_per_word") ? "WordPiece"
                                                   : "WordLevel";
  }
  if (type == "BPE") return read_bpe(model);
  if (type == "Unigram") return read_unigram(model);
  if (type == "WordPiece") return read_word_piece(model);
  if (type == "WordLevel") return std::make_unique<WordLevel>(read_vocabulary(model), model.text("unk_token", "<unk>"));
  model.unsupported(type);
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

TokenizerParts parts_from_json(const Json& json) {
  const Spec root(json, "tokenizer.json");
  const auto part = [&](std::string_view key) { return Spec(root.at(key).json(), std::string(key)); };
  TokenizerParts parts;
  parts.model = read_model(part("model"));
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
  return with_context(
      [&] { return str("while reading the tokenizer ", where); },
      [&] { return Tokenizer(std::make_shared<const TokenizerParts>(parts_from_json(Json::parse(text, where)))); });
}

Tokenizer Tokenizer::from_file(const std::filesystem::path& path) {
  return from_json(read_text_file(path), path.filename().string());
}

}  // namespace trustformers
