// text2text-generation, summarization and translation: an encoder-decoder writes a text from a text. transformers 5 has
// dropped these tasks; results are those of its version 4.
#include "generation_call.h"
#include "text_batches.h"

namespace trustformers {
namespace {

const Json& text2text_defaults() {
  static const Json defaults = Json::parse(R"({"max_new_tokens": 256, "num_beams": 4})");
  return defaults;
}

struct Text2TextOptions {
  bool tokens = false;
  std::optional<bool> clean_up = false;
  std::int64_t batch_size = 8;
  EncodeOptions encode;
  std::optional<TokenId> source_language;
  GenerationConfig config;
};

class Text2TextGeneration final : public PipelineTask {
 public:
  explicit Text2TextGeneration(PipelineParts parts) : PipelineTask(std::move(parts)) {
    name_ = parts_.task == "summarization" ? "summary" : parts_.task == "translation" ? "translation" : "generated";
    // What transformers 4 reads from the config: settings for the task, and what to put in front of its texts.
    const Json& config = model().config();
    if (const Json* prefix = config.find("prefix"); prefix && prefix->is_string()) prefix_ = prefix->as_string();
    const Json* all = config.find("task_specific_params");
    const Json* own = all ? all->find(parts_.full_task) : nullptr;
    if (!own || !own->is_object()) return;
    for (const auto& [key, value] : own->as_object())
      if (key != "prefix")
        settings_.set(key, value);
      else if (value.is_string())
        prefix_ = value.as_string();
  }

  Json run(const PipelineCall& call) const override {
    const Text2TextOptions o = read(call);
    const TextInputs inputs = text_inputs(call.inputs, parts_.task);
    std::vector<GenerationPrompt> prompts;
    for (const std::string& text : inputs.texts) prompts.push_back(prompt_of(text, o));
    const auto sequences = generate_all(parts_, prompts, o.config, o.batch_size, call.cancel);
    Json::Array out;
    bool flat = true;
    for (const auto& group : sequences) flat = flat && group.size() == 1;
    for (const auto& group : sequences) {
      Json::Array records;
      for (const auto& ids : group) records.push_back(record(ids, o));
      out.push_back(flat && inputs.list ? std::move(records[0]) : Json(std::move(records)));
    }
    return inputs.list ? Json(std::move(out)) : std::move(out[0]);
  }

  TextStream stream(const PipelineCall& call) const override {
    Json options = call.options;
    if (!options.find("num_beams")) options.set("num_beams", 1);  // beams have nothing to show before their end
    const Text2TextOptions o = read({call.inputs, options, call.given, call.cancel});
    const TextInputs inputs = text_inputs(call.inputs, parts_.task);
    check(!inputs.list, ErrorCode::invalid_argument, "[", parts_.task, "] one text expected to stream, got a list");
    return stream_one(parts_, prompt_of(inputs.texts[0], o), o.config, true, call.cancel,
                      [self = shared_from_this(), this, o](const auto& ids) { return record(ids, o); });
  }

 private:
  /// A language by its token, "fr_XX", or by its code where the token is "__fr__". Only special tokens: other
  /// vocabularies may hold "fr" as a piece of text.
  std::optional<TokenId> language(const std::string& name) const {
    for (const std::string& token : {name, "__" + name + "__"})
      if (const auto id = tokenizer().token_to_id(token); id && tokenizer().is_special(*id)) return id;
    return std::nullopt;
  }

  Text2TextOptions read(const PipelineCall& call) const {
    CallOptions v(call.options, parts_.task);
    Text2TextOptions o;
    v("return_tensors", o.tokens);
    bool text = true;
    v("return_text", text);
    v("clean_up_tokenization_spaces", o.clean_up);
    o.batch_size = read_batch_size(v);
    o.encode = read_encode_options(v, tokenizer());
    std::optional<std::string> source, target;
    if (parts_.task == "translation") {
      // "translation_en_to_fr"
      const std::string& task = parts_.full_task;
      constexpr std::string_view head = "translation_", middle = "_to_";
      const std::size_t to = task.find(middle);
      if (task.starts_with(head) && to != std::string::npos) {
        source = task.substr(head.size(), to - head.size());
        target = task.substr(to + middle.size());
      }
      const bool named = v.given("src_lang") || v.given("tgt_lang");
      v("src_lang", source);
      v("tgt_lang", target);
      if (source) o.source_language = language(*source);
      check(!named || !source || o.source_language, ErrorCode::invalid_argument,
            "[translation] the tokenizer has no token for the language \"", source.value_or(""), '"');
    }
    Json settings = merged_options(settings_, read_generation_settings(v));
    if (target) {
      const std::optional<TokenId> id = language(*target);
      check(id || !v.given("tgt_lang"), ErrorCode::invalid_argument,
            "[translation] the tokenizer has no token for the language \"", *target, '"');
      if (id) settings.set("forced_bos_token_id", *id);
    }
    o.config = call_config(parts_, text2text_defaults(), settings);
    return o;
  }

  GenerationPrompt prompt_of(const std::string& text, const Text2TextOptions& o) const {
    Encoding encoding = tokenizer().encode(prefix_ + text, o.encode);
    // The tokenizer's file names one language; the one that is wanted takes its place, wherever that is.
    const SpecialTokens& roles = tokenizer().special_tokens();
    for (std::size_t i = 0; o.source_language && i < encoding.size(); ++i) {
      const std::optional<TokenId> id = encoding.ids[i];
      if (encoding.special_tokens_mask[i] != 0 && id != roles.eos && id != roles.bos && id != roles.cls &&
          id != roles.sep && id != roles.unk)
        encoding.ids[i] = *o.source_language;
    }
    check(encoding.size() > 0, ErrorCode::invalid_argument, "[", parts_.task, "] a text has no tokens");
    return {{encoding.ids.begin(), encoding.ids.end()}};
  }

  Json record(const std::vector<std::int64_t>& ids, const Text2TextOptions& o) const {
    Json out = Json::object();
    if (o.tokens)
      out.set(name_ + "_token_ids", Json(Json::Array(ids.begin(), ids.end())));
    else
      out.set(name_ + "_text", tokenizer().decode(std::vector<TokenId>(ids.begin(), ids.end()), true, o.clean_up));
    return out;
  }

  std::string name_, prefix_;
  Json settings_ = Json::object();
};

}  // namespace

PipelineTaskPtr make_text2text_generation(PipelineParts parts) {
  check(parts.model.model().is_encoder_decoder(), ErrorCode::unsupported, "[", parts.task,
        "] needs an encoder-decoder, ", parts.model.model().class_name(), " is none");
  return std::make_shared<const Text2TextGeneration>(std::move(parts));
}

}  // namespace trustformers
