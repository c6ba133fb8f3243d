#include "auto_classes.h"

#include <algorithm>

#include "../base/file.h"
#include "../hub/cache.h"
#include "../models/gguf_tokenizer.h"

namespace trustformers {
namespace {

Tensor tensor_of(const std::vector<Encoding>& batch, const auto& member) {
  std::vector<std::int64_t> all;
  for (const Encoding& row : batch)
    for (const auto value : row.*member) all.push_back(value);
  const auto rows = static_cast<std::int64_t>(batch.size());
  return Tensor::from(all, {rows, rows ? static_cast<std::int64_t>(all.size()) / rows : 0});
}

}  // namespace

PreTrainedTokenizer::PreTrainedTokenizer(Tokenizer tokenizer) : tokenizer_(std::move(tokenizer)) {
  const auto& templates = tokenizer_.chat_templates();
  if (const auto at = templates.find("default"); at != templates.end())
    chat_template_ = ChatTemplate::parse(at->second);
}

PreTrainedTokenizer PreTrainedTokenizer::from_pretrained(std::string_view model) {
  std::filesystem::path path = hub::resolve_model(model);
  if (path.extension() == ".safetensors") path = path.parent_path();
  return PreTrainedTokenizer(open_tokenizer(path));
}

BatchEncoding PreTrainedTokenizer::operator()(std::string_view text, const TokenizeOptions& options) const {
  const std::string one(text);
  return (*this)(std::span(&one, 1), options);
}

BatchEncoding PreTrainedTokenizer::operator()(std::span<const std::string> texts,
                                              const TokenizeOptions& options) const {
  EncodeOptions encode;
  encode.add_special_tokens = options.add_special_tokens;
  if (options.max_length) encode.truncation = Truncation{.max_length = *options.max_length};
  // The file may ask for a fixed length; models need only rows of one length.
  Padding padding = tokenizer_.padding();
  padding.length = 0;
  padding.multiple_of = 0;
  padding.direction = options.padding_side;
  encode.padding = padding;
  const std::vector<EncodeInput> inputs(texts.begin(), texts.end());
  const std::vector<Encoding> batch = tokenizer_.encode_batch(inputs, encode);
  return {tensor_of(batch, &Encoding::ids), tensor_of(batch, &Encoding::attention_mask),
          tensor_of(batch, &Encoding::type_ids)};
}

std::string PreTrainedTokenizer::decode(std::span<const std::int64_t> ids, bool skip_special_tokens) const {
  std::vector<TokenId> narrow;
  for (const std::int64_t id : ids) narrow.push_back(static_cast<TokenId>(id));
  return tokenizer_.decode(narrow, skip_special_tokens);
}

std::string PreTrainedTokenizer::chat_prompt(const Json& messages, bool add_generation_prompt,
                                             const ChatTemplateOptions& options, std::string_view chat_template) const {
  std::optional<ChatTemplate> other;
  if (!chat_template.empty()) {
    const auto& named = tokenizer_.chat_templates();
    const auto at = named.find(std::string(chat_template));
    other = ChatTemplate::parse(at == named.end() ? chat_template : at->second);
  }
  check(other || chat_template_, ErrorCode::unsupported, "[chat] the model has no chat template");
  ChatTemplateOptions full = options;
  full.add_generation_prompt = add_generation_prompt;
  const auto token_text = [&](const std::optional<TokenId>& id) -> std::optional<std::string> {
    return id ? tokenizer_.id_to_token(*id) : std::nullopt;
  };
  if (!full.bos_token) full.bos_token = token_text(tokenizer_.special_tokens().bos);
  if (!full.eos_token) full.eos_token = token_text(tokenizer_.special_tokens().eos);
  return (other ? *other : *chat_template_).apply(messages, full);
}

BatchEncoding PreTrainedTokenizer::apply_chat_template(const Json& messages) const {
  return (*this)(chat_prompt(messages), {.add_special_tokens = false});
}

TextStreamer::TextStreamer(const PreTrainedTokenizer& tokenizer, OnText on_text, std::vector<std::string> stop_strings,
                           bool skip_special_tokens)
    : stream_(tokenizer.tokenizer(), skip_special_tokens),
      on_text_(std::move(on_text)),
      stop_strings_(std::move(stop_strings)) {}

bool TextStreamer::emit(std::string_view piece) {
  if (piece.empty()) return true;
  text_ += piece;
  return !on_text_ || on_text_(piece);
}

bool TextStreamer::take(std::string_view piece) {
  held_ += piece;
  std::size_t end = std::string::npos;
  for (const std::string& stop : stop_strings_)
    if (!stop.empty()) end = std::min(end, held_.find(stop));
  if (end != std::string::npos) {
    stopped_ = true;
    const std::string last = held_.substr(0, end);
    held_.clear();
    emit(last);
    return false;
  }
  // The longest ending that begins a stop string waits.
  std::size_t keep = 0;
  for (const std::string& stop : stop_strings_)
    for (std::size_t n = std::min(stop.size(), held_.size()); n > keep; --n)
      if (held_.compare(held_.size() - n, n, stop, 0, n) == 0) keep = n;
  const std::string ready = held_.substr(0, held_.size() - keep);
  held_.erase(0, ready.size());
  return emit(ready);
}

bool TextStreamer::put(std::int64_t token) {
  if (stopped_) return false;
  const std::optional<std::string> piece = stream_.push(static_cast<TokenId>(token));
  return !piece || take(*piece);
}

void TextStreamer::end() {
  if (stopped_) return;
  if (take(stream_.finish())) emit(std::exchange(held_, {}));
  stopped_ = true;
}

GenerateOutput PreTrainedModel::generate(const BatchEncoding& prompt, const GenerationConfig& config,
                                         const TokenCallback& on_tokens, const CancelToken* cancel) const {
  check(config.stop_strings.empty(), ErrorCode::invalid_argument,
        "[generate] stop_strings need a TextStreamer, which knows the tokenizer");
  return trustformers::generate(*model_, {.input_ids = prompt.input_ids, .attention_mask = prompt.attention_mask},
                                config, on_tokens, cancel);
}

GenerateOutput PreTrainedModel::generate(const BatchEncoding& prompt, const GenerationConfig& config,
                                         TextStreamer& streamer, const CancelToken* cancel) const {
  check(prompt.input_ids.size(0) == 1, ErrorCode::shape_mismatch, "[generate] a TextStreamer takes one prompt, got ",
        describe(prompt.input_ids));
  GenerateOutput out = trustformers::generate(
      *model_, {.input_ids = prompt.input_ids, .attention_mask = prompt.attention_mask}, config,
      [&](std::span<const std::int64_t> tokens) { return streamer.put(tokens[0]); }, cancel);
  streamer.end();
  return out;
}

PreTrainedModel open_model(std::string_view model, Task task, LoadOptions options) {
  options.task = task;
  const Checkpoint checkpoint = open_checkpoint(hub::resolve_model(model));
  std::shared_ptr<const Model> loaded = load_model(checkpoint, options);
  Json settings = Json::object();
  const std::filesystem::path file = checkpoint.path / "generation_config.json";
  if (std::filesystem::is_directory(checkpoint.path) && std::filesystem::exists(file))
    settings = Json::parse(read_text_file(file, std::uint64_t{1} << 24), file.string());
  return {std::move(loaded), GenerationConfig::from_pretrained(checkpoint.path, checkpoint.config),
          std::move(settings)};
}

PreTrainedModel make_model(const Json& config, Task task, std::uint64_t seed, LoadOptions options) {
  options.task = task;
  std::shared_ptr<const Model> made = init_model(config, seed, options);
  return {std::move(made), GenerationConfig::from_pretrained({}, config)};
}

Json chat_message(std::string_view role, std::string_view content) {
  Json message = Json::object();
  message.set("role", Json(role));
  message.set("content", Json(content));
  return message;
}

}  // namespace trustformers
