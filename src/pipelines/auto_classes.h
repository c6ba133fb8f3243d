// The front door, under Hugging Face's names: AutoTokenizer, AutoModel and its heads, generate, streaming.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../generation/generate.h"
#include "../models/auto.h"
#include "../tokenizers/chat_template.h"
#include "../tokenizers/tokenizer.h"

namespace trustformers {

/// What a tokenizer hands to a model: tensors [B, L] of i64.
struct BatchEncoding {
  Tensor input_ids = {}, attention_mask = {}, token_type_ids = {};
};

struct TokenizeOptions {
  bool add_special_tokens = true;
  /// Cut to this many tokens; absent: no cut.
  std::optional<std::size_t> max_length = {};
  /// The side on which shorter texts of a batch are padded. Prompts to be continued need left.
  Side padding_side = Side::right;
};

/// A tokenizer with the chat template and special tokens of its model. Immutable; copies share.
class PreTrainedTokenizer {
 public:
  /// With the tokenizer's own "default" chat template.
  explicit PreTrainedTokenizer(Tokenizer tokenizer);
  /// `model` as resolve_model takes it: a folder, a .gguf file, or a hub id in the cache.
  static PreTrainedTokenizer from_pretrained(std::string_view model);

  BatchEncoding operator()(std::string_view text, const TokenizeOptions& options = {}) const;
  BatchEncoding operator()(std::span<const std::string> texts, const TokenizeOptions& options = {}) const;
  std::string decode(std::span<const std::int64_t> ids, bool skip_special_tokens = true) const;

  bool has_chat_template() const { return chat_template_.has_value(); }
  /// The prompt text for messages [{"role": …, "content": …}, …]. `chat_template` is the name of one of the tokenizer's
  /// templates or Jinja text; empty: "default". Errors: unsupported when there is no template.
  std::string chat_prompt(const Json& messages, bool add_generation_prompt = true,
                          const ChatTemplateOptions& options = {}, std::string_view chat_template = {}) const;
  /// The same as token ids [1, L].
  BatchEncoding apply_chat_template(const Json& messages) const;

  const Tokenizer& tokenizer() const { return tokenizer_; }

 private:
  Tokenizer tokenizer_;
  std::optional<ChatTemplate> chat_template_;
};

/// Turns tokens into text as they come: a TokenCallback for batches of one. Text that may still become a stop string is
/// held back.
class TextStreamer {
 public:
  /// Gets each piece; false stops the generation.
  using OnText = std::function<bool(std::string_view piece)>;
  TextStreamer(const PreTrainedTokenizer& tokenizer, OnText on_text, std::vector<std::string> stop_strings = {},
               bool skip_special_tokens = true);

  /// The next token; false when a stop string came or the receiver wants no more.
  bool put(std::int64_t token);
  /// Hands out what was held back.
  void end();
  /// All text handed out so far.
  const std::string& text() const { return text_; }
  bool stopped() const { return stopped_; }

 private:
  bool emit(std::string_view piece);
  bool take(std::string_view piece);
  DecodeStream stream_;
  OnText on_text_;
  std::vector<std::string> stop_strings_;
  std::string held_;
  std::string text_;
  bool stopped_ = false;
};

/// A model with its generation defaults. Copies share the weights.
class PreTrainedModel {
 public:
  /// `generation_settings` are those of generation_config.json, as it was read.
  PreTrainedModel(std::shared_ptr<const Model> model, GenerationConfig defaults,
                  Json generation_settings = Json::object())
      : model_(std::move(model)),
        defaults_(std::move(defaults)),
        generation_settings_(std::move(generation_settings)) {}

  ModelOutput operator()(const ModelInputs& inputs) const { return model_->forward(inputs); }
  /// Continues prompts; see generation/generate.h.
  GenerateOutput generate(const BatchEncoding& prompt, const GenerationConfig& config,
                          const TokenCallback& on_tokens = {}, const CancelToken* cancel = nullptr) const;
  /// Continues one prompt and streams the text. The streamer is ended.
  GenerateOutput generate(const BatchEncoding& prompt, const GenerationConfig& config, TextStreamer& streamer,
                          const CancelToken* cancel = nullptr) const;

  /// What generation_config.json and config.json say; change a copy and hand it to generate().
  const GenerationConfig& generation_config() const { return defaults_; }
  /// What generation_config.json says; an empty object when there is none.
  const Json& generation_settings() const { return generation_settings_; }
  const std::vector<NamedTensor>& named_parameters() const { return model_->named_parameters(); }
  const Model& model() const { return *model_; }
  void save_pretrained(const std::filesystem::path& folder) const { trustformers::save_pretrained(*model_, folder); }

 private:
  std::shared_ptr<const Model> model_;
  GenerationConfig defaults_;
  Json generation_settings_;
};

struct AutoTokenizer {
  static PreTrainedTokenizer from_pretrained(std::string_view model) {
    return PreTrainedTokenizer::from_pretrained(model);
  }
};

/// Opens `model` (see resolve_model) as the class that serves the task.
PreTrainedModel open_model(std::string_view model, Task task, LoadOptions options);
/// Fresh weights for a config in the words of config.json.
PreTrainedModel make_model(const Json& config, Task task, std::uint64_t seed, LoadOptions options);

template <Task task>
struct AutoModelFor {
  static PreTrainedModel from_pretrained(std::string_view model, const LoadOptions& options = {}) {
    return open_model(model, task, options);
  }
  static PreTrainedModel from_config(const Json& config, std::uint64_t seed = 0, const LoadOptions& options = {}) {
    return make_model(config, task, seed, options);
  }
};
using AutoModel = AutoModelFor<Task::base>;
using AutoModelForCausalLM = AutoModelFor<Task::causal_lm>;
using AutoModelForSeq2SeqLM = AutoModelFor<Task::seq2seq_lm>;
using AutoModelForMaskedLM = AutoModelFor<Task::masked_lm>;
using AutoModelForSequenceClassification = AutoModelFor<Task::sequence_classification>;
using AutoModelForTokenClassification = AutoModelFor<Task::token_classification>;
using AutoModelForQuestionAnswering = AutoModelFor<Task::question_answering>;
using AutoModelForMultipleChoice = AutoModelFor<Task::multiple_choice>;

/// {"role": role, "content": content}
Json chat_message(std::string_view role, std::string_view content);

}  // namespace trustformers
