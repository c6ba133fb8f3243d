#include "tokenizer.h"

#include "../base/utf8.h"
#include "tokenizer_parts.h"

namespace trustformers {
namespace {

PreTokenizedText pre_tokenize(const TokenizerParts& parts, std::string_view text, bool parse_special) {
  AlignedText source = AlignedText::from_source(text);
  PreTokenizedText out;
  const auto normalize = [&](AlignedText part) {
    if (parts.normalizer) parts.normalizer->apply(part);
    const auto found = parts.added.find(part.text(), AddedTokens::Stage::normalized, parse_special);
    if (out.pieces().empty() && found.size() == 1) {
      const TokenId token = found[0].id;
      out = PreTokenizedText(std::move(part), token);
      return;
    }
    for (const auto& [begin, end, id] : found) out.append(part, begin, end, id);
  };
  const auto sections = parts.added.find(source.text(), AddedTokens::Stage::source, parse_special);
  if (sections.size() == 1 && sections[0].id < 0) {  // most texts: nothing is copied
    normalize(std::move(source));
  } else {
    for (const auto& [begin, end, id] : sections) {
      if (id >= 0)
        out.append(source, begin, end, id);
      else
        normalize(source.slice(begin, end));
    }
  }
  if (parts.pre_tokenizer) parts.pre_tokenizer->apply(out);
  return out;
}

Encoding encode_text(const TokenizerParts& parts, std::string_view given, std::int32_t type, bool parse_special) {
  const std::string repaired = is_valid_utf8(given) ? std::string() : replace_invalid_utf8(given);
  const PreTokenizedText text = pre_tokenize(parts, repaired.empty() ? given : repaired, parse_special);
  const Vocabulary& vocabulary = parts.model->vocabulary();
  const TokenId shown_as_text = parts.model->shown_as_text();
  Encoding out;
  std::vector<ModelToken> tokens;
  tokens.reserve(text.pieces().size() * 2);
  for (std::size_t word = 0; word < text.pieces().size(); ++word) {
    const TextPiece& piece = text.pieces()[word];
    const std::size_t first = tokens.size();
    const std::string_view piece_text = text.text(piece);
    if (piece.token >= 0) {
      tokens.push_back({piece.token, 0, static_cast<std::uint32_t>(piece_text.size())});
    } else {
      parts.model->tokenize(piece_text, tokens);
    }
    out.word_ids.resize(tokens.size(), static_cast<std::int32_t>(word));
    const auto size = static_cast<std::uint32_t>(piece_text.size());
    for (std::size_t i = first; i < tokens.size(); ++i) {
      const TokenId id = tokens[i].id;
      const std::uint32_t begin = std::min(tokens[i].begin, size);
      const std::uint32_t end = std::min(tokens[i].end, size);
      const bool as_text = piece.token >= 0 || id == shown_as_text;
      out.tokens.emplace_back(as_text ? piece_text.substr(begin, end - begin)
                                      : vocabulary.token(id).value_or(std::string_view()));
      out.ids.push_back(id);
      out.offsets.push_back(text.aligned().source(piece.begin + begin, piece.begin + end));
    }
  }
  out.type_ids.assign(tokens.size(), type);
  out.sequence_ids.assign(tokens.size(), 0);
  out.special_tokens_mask.assign(tokens.size(), 0);
  out.attention_mask.assign(tokens.size(), 1);
  return out;
}

/// Where each code point of a text begins, in bytes, and where the last ends; what is not UTF-8 counts as it is
/// repaired.
std::vector<std::uint32_t> code_point_starts(std::string_view text) {
  std::vector<std::uint32_t> starts;
  for (std::size_t at = 0; at < text.size(); at += decode_utf8_at(text, at).length)
    starts.push_back(static_cast<std::uint32_t>(at));
  starts.push_back(static_cast<std::uint32_t>(text.size()));
  return starts;
}

void offsets_in_bytes(Encoding& encoding, std::span<const std::vector<std::uint32_t>> starts) {
  for (std::size_t i = 0; i < encoding.size(); ++i) {
    const std::int32_t sequence = encoding.sequence_ids[i];
    if (sequence < 0) continue;
    const auto& table = starts[static_cast<std::size_t>(sequence)];
    encoding.offsets[i] = {table[encoding.offsets[i].begin], table[encoding.offsets[i].end]};
  }
  for (Encoding& window : encoding.overflowing) offsets_in_bytes(window, starts);
}

/// Cuts one text or two and puts the special tokens around them.
Encoding finish(const TokenizerParts& parts, std::vector<Encoding> encodings, const EncodeOptions& options) {
  const bool pair = encodings.size() > 1;
  if (options.truncation) {
    Truncation truncation = *options.truncation;
    if (options.add_special_tokens && parts.post_processor) {
      const std::size_t added = parts.post_processor->added(pair);
      check(truncation.max_length >= added, ErrorCode::invalid_argument, "[tokenizer] truncation to ",
            truncation.max_length, " tokens, but the special tokens alone are ", added);
      truncation.max_length -= added;
    }
    truncate(encodings[0], pair ? &encodings[1] : nullptr, truncation);
  }
  if (pair) encodings[1].set_sequence_ids(1);
  if (parts.post_processor) parts.post_processor->apply(encodings, options.add_special_tokens);
  if (encodings.empty()) return {};
  Encoding out = std::move(encodings.front());
  for (std::size_t i = 1; i < encodings.size(); ++i) out.append(std::move(encodings[i]));
  return out;
}

Encoding encode_without_padding(const TokenizerParts& parts, const EncodeInput& input, const EncodeOptions& options) {
  std::vector<Encoding> encodings;
  encodings.push_back(encode_text(parts, input.text, 0, options.parse_special_tokens));
  if (input.pair) encodings.push_back(encode_text(parts, *input.pair, 1, options.parse_special_tokens));
  Encoding out = finish(parts, std::move(encodings), options);
  if (options.byte_offsets) {
    const std::vector<std::uint32_t> starts[] = {code_point_starts(input.text),
                                                 code_point_starts(input.pair.value_or(std::string_view()))};
    offsets_in_bytes(out, starts);
  }
  return out;
}

Encoding padded(Encoding encoding, const EncodeOptions& options) {
  if (!options.padding) return encoding;
  std::vector<Encoding> one;
  one.push_back(std::move(encoding));
  pad(one, *options.padding);
  return std::move(one.front());
}

}  // namespace

void TokenizerParts::set_added(std::vector<AddedToken> tokens) {
  added = AddedTokens(std::move(tokens), [this](std::string_view content) {
    AlignedText text = AlignedText::from_source(content);
    if (normalizer) normalizer->apply(text);
    return std::string(text.text());
  });
}

Encoding Tokenizer::encode(const EncodeInput& input, const EncodeOptions& options) const {
  return padded(encode_without_padding(*parts_, input, options), options);
}

Encoding Tokenizer::encode_words(std::span<const std::string> words, const EncodeOptions& options) const {
  std::vector<Encoding> text(1);
  for (std::size_t i = 0; i < words.size(); ++i) {
    Encoding word = encode_text(*parts_, words[i], 0, options.parse_special_tokens);
    std::fill(word.word_ids.begin(), word.word_ids.end(), static_cast<std::int32_t>(i));
    text[0].append(word);
  }
  return padded(finish(*parts_, std::move(text), options), options);
}

std::vector<Encoding> Tokenizer::encode_batch(std::span<const EncodeInput> inputs, const EncodeOptions& options) const {
  std::vector<Encoding> batch;
  batch.reserve(inputs.size());
  for (const EncodeInput& input : inputs) batch.push_back(encode_without_padding(*parts_, input, options));
  if (options.padding) pad(batch, *options.padding);
  return batch;
}

std::string Tokenizer::decode(std::span<const TokenId> ids, bool skip_special_tokens,
                              std::optional<bool> clean_up) const {
  std::vector<std::string> tokens;
  tokens.reserve(ids.size());
  for (const TokenId id : ids) {
    if (skip_special_tokens && parts_->added.is_special(id)) continue;
    if (auto token = id_to_token(id)) tokens.push_back(std::move(*token));
  }
  std::string text = decode_tokens(std::move(tokens));
  const bool clean = clean_up.value_or(parts_->clean_up_spaces) && !parts_->model->is_byte_pair_encoding();
  return clean ? clean_up_spaces(std::move(text)) : text;
}

std::string Tokenizer::decode_tokens(std::vector<std::string> tokens) const {
  if (parts_->decoder) parts_->decoder->apply(tokens);
  std::string text;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0 && !parts_->decoder) text += ' ';
    text += tokens[i];
  }
  return text;
}

std::optional<TokenId> Tokenizer::token_to_id(std::string_view token) const {
  TokenId id = parts_->added.id(token);
  if (id < 0) id = parts_->model->vocabulary().find(token);
  return id < 0 ? std::nullopt : std::optional(id);
}

std::optional<std::string> Tokenizer::id_to_token(TokenId id) const {
  if (const std::string* added = parts_->added.text(id)) return *added;
  if (const auto token = parts_->model->vocabulary().token(id)) return std::string(*token);
  return std::nullopt;
}

std::size_t Tokenizer::vocab_size() const {
  std::size_t size = parts_->model->vocabulary().size();
  for (const AddedToken& token : parts_->added.tokens())
    if (parts_->model->vocabulary().find(token.content) < 0) ++size;
  return size;
}

bool Tokenizer::is_special(TokenId id) const { return parts_->added.is_special(id); }

const SpecialTokens& Tokenizer::special_tokens() const { return parts_->special; }
const std::optional<Truncation>& Tokenizer::truncation() const { return parts_->truncation; }
const Padding& Tokenizer::padding() const { return parts_->padding; }
std::optional<std::size_t> Tokenizer::model_max_length() const { return parts_->model_max_length; }
bool Tokenizer::cleans_up_spaces() const { return parts_->clean_up_spaces && !parts_->model->is_byte_pair_encoding(); }
const std::vector<std::string>& Tokenizer::model_input_names() const { return parts_->model_input_names; }
std::string_view Tokenizer::continuing_subword_prefix() const { return parts_->model->continuing_subword_prefix(); }
const std::map<std::string, std::string>& Tokenizer::chat_templates() const { return parts_->chat_templates; }

}  // namespace trustformers
