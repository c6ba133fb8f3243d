// Tokenizers, encodings, chat templates and text streams.
#include <algorithm>

#include "../models/gguf_tokenizer.h"
#include "handles.h"

using namespace trustformers;

struct tf_encoding : capi::Counted {
  struct Row {
    std::vector<std::int32_t> fields[TF_ENCODING_SAMPLE + 1];
  };
  std::vector<Row> rows;
};

struct tf_text_stream : capi::Counted {
  tf_text_stream(const PreTrainedTokenizer& tokenizer, bool skip_special_tokens, std::vector<std::string> stop_strings)
      : streamer(
            tokenizer, [this](std::string_view text) { return (piece += text, true); }, std::move(stop_strings),
            skip_special_tokens) {}
  std::string piece;
  TextStreamer streamer;
};

namespace trustformers::capi {
namespace {

std::string_view view(const tf_text& text) {
  required(text.data || text.size == 0 ? "" : nullptr, "a text");
  if (!text.data) return {};
  return text.size == TF_NUL_TERMINATED ? std::string_view(text.data) : std::string_view(text.data, text.size);
}

Side side(const Options& options, std::string_view name, Side absent) {
  const std::string text = options.text(name, absent == Side::left ? "left" : "right");
  if (text != "left" && text != "right") options.fail_type(name, "\"left\" or \"right\"");
  return text == "left" ? Side::left : Side::right;
}

/// The words of a setting that may also be a bool: false is "", true is `usual`.
std::string word(const Options& options, std::string_view name, std::string_view usual) {
  const Json* value = options.find(name);
  if (!value || value->is_null()) return "";
  return std::string(value->is_bool() ? (value->as_bool() ? usual : "") : options.text(name, ""));
}

std::size_t natural(const Options& options, std::string_view name, std::int64_t absent) {
  const std::int64_t value = options.integer(name, absent);
  if (value < 0) options.fail_type(name, "at least 0");
  return static_cast<std::size_t>(value);
}

EncodeOptions encode_options(const Options& options, const Tokenizer& tokenizer) {
  EncodeOptions out;
  out.add_special_tokens = options.flag("add_special_tokens", true);
  out.parse_special_tokens = options.flag("parse_special_tokens", true);
  const std::string truncate = word(options, "truncation", "longest_first");
  const std::string fill = word(options, "padding", "longest");
  const std::size_t limit =
      options.has("max_length") ? natural(options, "max_length", 0) : tokenizer.model_max_length().value_or(0);
  if (!truncate.empty()) {
    check(limit > 0, ErrorCode::invalid_argument,
          "[encode] truncation needs \"max_length\", since the tokenizer names none");
    Truncation t{.max_length = limit, .stride = natural(options, "stride", 0)};
    if (truncate == "only_first" || truncate == "only_second")
      t.strategy = truncate == "only_first" ? TruncationStrategy::only_first : TruncationStrategy::only_second;
    else if (truncate != "longest_first")
      options.fail_type("truncation", "true, false, \"longest_first\", \"only_first\" or \"only_second\"");
    t.direction =
        side(options, "truncation_side", tokenizer.truncation() ? tokenizer.truncation()->direction : Side::right);
    out.truncation = t;
  }
  if (!fill.empty()) {
    Padding p = tokenizer.padding();
    p.length = 0;
    if (fill == "max_length") {
      check(limit > 0, ErrorCode::invalid_argument,
            "[encode] padding to \"max_length\" needs \"max_length\", since the tokenizer names none");
      p.length = limit;
    } else if (fill != "longest") {
      options.fail_type("padding", "true, false, \"longest\" or \"max_length\"");
    }
    p.multiple_of = natural(options, "pad_to_multiple_of", 0);
    p.direction = side(options, "padding_side", p.direction);
    out.padding = p;
  }
  return out;
}

tf_encoding::Row make_row(const Encoding& e, std::size_t sample) {
  tf_encoding::Row row;
  row.fields[TF_ENCODING_IDS].assign(e.ids.begin(), e.ids.end());
  row.fields[TF_ENCODING_TYPE_IDS] = e.type_ids;
  row.fields[TF_ENCODING_ATTENTION_MASK] = e.attention_mask;
  row.fields[TF_ENCODING_SPECIAL_TOKENS_MASK] = e.special_tokens_mask;
  row.fields[TF_ENCODING_WORD_IDS] = e.word_ids;
  row.fields[TF_ENCODING_SEQUENCE_IDS] = e.sequence_ids;
  for (const SourceRange& range : e.offsets)
    for (const std::uint32_t at : {range.begin, range.end})
      row.fields[TF_ENCODING_OFFSETS].push_back(static_cast<std::int32_t>(at));
  row.fields[TF_ENCODING_SAMPLE] = {static_cast<std::int32_t>(sample)};
  return row;
}

Json tokenizer_info(const Tokenizer& tokenizer) {
  Json out = Json::object();
  out.set("vocab_size", tokenizer.vocab_size());
  const auto length = tokenizer.model_max_length();
  out.set("model_max_length", length ? Json(*length) : Json());
  Json roles = Json::object();
  const SpecialTokens& special = tokenizer.special_tokens();
  const std::pair<const char*, const std::optional<TokenId>*> list[] = {
      {"bos", &special.bos}, {"eos", &special.eos}, {"unk", &special.unk},  {"sep", &special.sep},
      {"pad", &special.pad}, {"cls", &special.cls}, {"mask", &special.mask}};
  for (const auto& [name, id] : list)
    if (*id) {
      Json role = Json::object();
      role.set("id", **id);
      role.set("token", tokenizer.id_to_token(**id).value_or(""));
      roles.set(name, std::move(role));
    }
  out.set("special_tokens", std::move(roles));
  Json::Array templates;
  for (const auto& [name, text] : tokenizer.chat_templates()) templates.emplace_back(name);
  out.set("chat_templates", std::move(templates));
  out.set("padding_side", tokenizer.padding().direction == Side::left ? "left" : "right");
  return out;
}

std::string chat_text(const PreTrainedTokenizer& tokenizer, const char* messages, const char* settings) {
  const Options options(settings, "chat", "add_generation_prompt tools documents chat_template template_variables");
  const Json parsed = Json::parse(required_text(messages, "messages"), "messages");
  check(parsed.is_array(), ErrorCode::invalid_argument, "[chat] messages must be a list, got ", parsed.type_name());
  ChatTemplateOptions chat;
  if (const Json* tools = options.find("tools")) chat.tools = *tools;
  if (const Json* documents = options.find("documents")) chat.documents = *documents;
  if (const Json* extra = options.find("template_variables")) chat.extra = *extra;
  return tokenizer.chat_prompt(parsed, options.flag("add_generation_prompt", true), chat,
                               options.text("chat_template", ""));
}

}  // namespace
}  // namespace trustformers::capi

using namespace trustformers::capi;

extern "C" {

tf_status tf_tokenizer_open(const char* model, tf_tokenizer** out) {
  return making(out, [&] {
    return std::make_unique<tf_tokenizer>(PreTrainedTokenizer::from_pretrained(required_text(model, "the model")));
  });
}

tf_status tf_tokenizer_from_files(const tf_files* files, tf_tokenizer** out) {
  return making(out, [&] {
    const tf_files::Folder& folder = *required(files, "the files").folder;
    if (!folder.small.read("tokenizer.json"))
      for (const StreamedFile& file : folder.weights)
        if (file.metadata && file.metadata->contains("tokenizer.ggml.model"))
          return std::make_unique<tf_tokenizer>(
              PreTrainedTokenizer(Tokenizer::from_gguf(read_gguf_vocabulary(*file.metadata))));
    return std::make_unique<tf_tokenizer>(PreTrainedTokenizer(Tokenizer::from_files(folder.small)));
  });
}

void tf_tokenizer_free(tf_tokenizer* tokenizer) { delete tokenizer; }

tf_status tf_tokenizer_info(const tf_tokenizer* tokenizer, char** json) {
  return make_text(json, nullptr,
                   [&] { return tokenizer_info(required(tokenizer, "the tokenizer").tokenizer.tokenizer()).dump(); });
}

tf_status tf_tokenizer_encode(const tf_tokenizer* handle, const tf_text* texts, const tf_text* pairs, size_t count,
                              const char* settings, tf_encoding** out) {
  return making(out, [&] {
    const Tokenizer& tokenizer = required(handle, "the tokenizer").tokenizer.tokenizer();
    const Options options(settings, "encode",
                          "add_special_tokens parse_special_tokens truncation max_length stride truncation_side "
                          "padding pad_to_multiple_of padding_side return_overflowing_tokens");
    if (count > 0) required(texts, "the list of texts");
    std::vector<EncodeInput> inputs;
    for (std::size_t i = 0; i < count; ++i)
      inputs.push_back(pairs ? EncodeInput(view(texts[i]), view(pairs[i])) : EncodeInput(view(texts[i])));
    const bool windows = options.flag("return_overflowing_tokens", false);
    const std::vector<Encoding> batch = tokenizer.encode_batch(inputs, encode_options(options, tokenizer));
    auto encoding = std::make_unique<tf_encoding>();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      encoding->rows.push_back(make_row(batch[i], i));
      if (windows)
        for (const Encoding& window : batch[i].overflowing) encoding->rows.push_back(make_row(window, i));
    }
    return encoding;
  });
}

void tf_encoding_free(tf_encoding* encoding) { delete encoding; }
size_t tf_encoding_rows(const tf_encoding* encoding) { return encoding ? encoding->rows.size() : 0; }

tf_status tf_encoding_row(const tf_encoding* encoding, size_t row, tf_encoding_field field, const int32_t** data,
                          size_t* count) {
  return guarded([&] {
    const auto& rows = required(encoding, "the encoding").rows;
    check(row < rows.size(), ErrorCode::out_of_range, "[encoding] row ", row, " of ", rows.size());
    check(field >= 0 && field <= TF_ENCODING_SAMPLE, ErrorCode::invalid_argument, "[encoding] there is no field ",
          field);
    const std::vector<std::int32_t>& values = rows[row].fields[field];
    required(data, "the place for the address") = values.data();
    required(count, "the place for the count") = values.size();
  });
}

tf_status tf_encoding_tensor(const tf_encoding* encoding, tf_encoding_field field, tf_tensor** out) {
  return making(out, [&] {
    const auto& rows = required(encoding, "the encoding").rows;
    check(field >= 0 && field <= TF_ENCODING_SPECIAL_TOKENS_MASK, ErrorCode::invalid_argument, "[encoding] field ",
          field, " makes no tensor");
    std::vector<std::int64_t> all;
    for (const auto& row : rows) {
      const auto& values = row.fields[field];
      check(values.size() == rows[0].fields[field].size(), ErrorCode::shape_mismatch, "[encoding] rows of ",
            rows[0].fields[field].size(), " and of ", values.size(), " tokens make no tensor: ask for padding");
      all.insert(all.end(), values.begin(), values.end());
    }
    const auto count = static_cast<std::int64_t>(rows.size());
    return wrap(Tensor::from(all, {count, count ? static_cast<std::int64_t>(all.size()) / count : 0}));
  });
}

tf_status tf_tokenizer_decode(const tf_tokenizer* tokenizer, const int32_t* ids, size_t count,
                              int32_t skip_special_tokens, char** out, size_t* size) {
  return make_text(out, size, [&] {
    if (count > 0) required(ids, "the ids");
    return required(tokenizer, "the tokenizer").tokenizer.tokenizer().decode({ids, count}, skip_special_tokens != 0);
  });
}

tf_status tf_tokenizer_token_to_id(const tf_tokenizer* tokenizer, tf_text token, int32_t* id) {
  return guarded([&] {
    const auto found = required(tokenizer, "the tokenizer").tokenizer.tokenizer().token_to_id(view(token));
    check(found.has_value(), ErrorCode::not_found, "[tokenizer] there is no token \"", view(token), "\"");
    required(id, "the place for the id") = *found;
  });
}

tf_status tf_tokenizer_id_to_token(const tf_tokenizer* tokenizer, int32_t id, char** out, size_t* size) {
  return make_text(out, size, [&] {
    const auto token = required(tokenizer, "the tokenizer").tokenizer.tokenizer().id_to_token(id);
    check(token.has_value(), ErrorCode::not_found, "[tokenizer] there is no token with the id ", id);
    return *token;
  });
}

tf_status tf_tokenizer_chat(const tf_tokenizer* tokenizer, const char* messages, const char* options, char** out,
                            size_t* size) {
  return make_text(out, size,
                   [&] { return chat_text(required(tokenizer, "the tokenizer").tokenizer, messages, options); });
}

tf_status tf_text_stream_create(const tf_tokenizer* tokenizer, const char* settings, tf_text_stream** out) {
  return making(out, [&] {
    const Options options(settings, "text_stream", "skip_special_tokens stop_strings");
    return std::make_unique<tf_text_stream>(required(tokenizer, "the tokenizer").tokenizer,
                                            options.flag("skip_special_tokens", true), options.texts("stop_strings"));
  });
}

void tf_text_stream_free(tf_text_stream* stream) { delete stream; }

tf_status tf_text_stream_push(tf_text_stream* stream, int32_t id, tf_text* piece, int32_t* stopped) {
  return guarded([&] {
    tf_text_stream& s = required(stream, "the stream");
    required(piece, "the place for the text");
    s.piece.clear();
    s.streamer.put(id);
    *piece = {s.piece.c_str(), s.piece.size()};
    if (stopped) *stopped = s.streamer.stopped();
  });
}

tf_status tf_text_stream_finish(tf_text_stream* stream, tf_text* piece) {
  return guarded([&] {
    tf_text_stream& s = required(stream, "the stream");
    required(piece, "the place for the text");
    s.piece.clear();
    s.streamer.end();
    *piece = {s.piece.c_str(), s.piece.size()};
  });
}
}
