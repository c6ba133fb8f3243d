// text-generation: continues prompts and chats.
#include <mutex>

#include "generation_call.h"
#include "text_batches.h"

namespace trustformers {
namespace {

bool is_message(const Json& json) { return json.is_object() && json.find("role") && json.find("content"); }
bool is_chat(const Json& json) { return json.is_array() && json.size() > 0 && is_message(json.as_array()[0]); }

const Json& prompt_defaults() {
  static const Json defaults = Json::parse(R"({"max_new_tokens": 256, "do_sample": true, "temperature": 0.7})");
  return defaults;
}

struct PromptOptions {
  enum class Result { full_text, new_text, tokens };
  Result result = Result::full_text;
  std::optional<bool> clean_up, continue_final_message;
  bool skip_special_tokens = true;
  bool leave_room = false;  // handle_long_generation: the prompt is cut where new tokens would not fit
  std::string prefix;
  std::int64_t batch_size = 8;
  EncodeOptions encode;
  ChatTemplateOptions chat;
  std::string chat_template;
  GenerationConfig config;
};

std::string without_trailing_space(std::string text) {
  text.erase(text.find_last_not_of(" \t\n\r\f\v") + 1);
  return text;
}

/// The prompt of a chat whose last message is to be continued: a mark is put behind its content, and the prompt ends
/// where the mark comes out.
std::string open_ended_prompt(const PreTrainedTokenizer& tokenizer, const Json& messages, const PromptOptions& o) {
  constexpr std::string_view mark = "<|the message goes on here|>";
  const std::string spaced = std::string(mark) + " ";
  Json marked = messages;
  Json& last = marked.as_array().back();
  const Json& content = last.at("content", "the last message");
  check(content.is_string(), ErrorCode::invalid_argument,
        "[text-generation] the last message has no text to continue, its content is ", content.type_name());
  last.set("content", content.as_string() + spaced);
  std::string prompt = tokenizer.chat_prompt(marked, false, o.chat, o.chat_template);
  const std::size_t at = prompt.rfind(mark);
  check(at != std::string::npos, ErrorCode::invalid_argument,
        "[text-generation] the chat template does not show the last message, so it cannot be continued");
  const bool keeps_spaces = prompt.compare(at, spaced.size(), spaced) == 0;
  prompt.resize(at);
  return keeps_spaces ? prompt : without_trailing_space(std::move(prompt));
}

/// What the chat that was streamed last has read, so that its next turn is read only from where it is new. It is lent
/// to one stream at a time; others read all.
class ChatMemory : public std::enable_shared_from_this<ChatMemory> {
 public:
  explicit ChatMemory(PreTrainedModel model) : model_(std::move(model)) {}
  std::shared_ptr<Session> lend() {
    std::unique_ptr<Session> session;
    {
      const std::lock_guard lock(mutex_);
      session = std::move(idle_);
    }
    if (!session) session = std::make_unique<Session>(model_.model());
    return {session.release(), [self = shared_from_this()](Session* used) {
              std::unique_ptr<Session> back(used);
              const std::lock_guard lock(self->mutex_);
              self->idle_.swap(back);
            }};
  }

 private:
  PreTrainedModel model_;
  std::mutex mutex_;
  std::unique_ptr<Session> idle_;
};

class TextGeneration final : public PipelineTask {
 public:
  explicit TextGeneration(PipelineParts parts)
      : PipelineTask(std::move(parts)), chats_(std::make_shared<ChatMemory>(parts_.model)) {}

  Json run(const PipelineCall& call) const override {
    const PromptOptions o = read(call);
    // One prompt or chat, or a list of them.
    const bool single = call.inputs.is_string() || is_chat(call.inputs);
    const Json::Array one{single ? call.inputs : Json()};
    check(single || call.inputs.is_array(), ErrorCode::invalid_argument,
          "[text-generation] a text, a chat or a list of them expected, got ", call.inputs.type_name());
    const Json::Array& inputs = single ? one : call.inputs.as_array();
    std::vector<GenerationPrompt> prompts;
    for (const Json& input : inputs) prompts.push_back(prompt_of(input, o));
    const auto sequences = generate_all(parts_, prompts, o.config, o.batch_size, call.cancel);
    Json::Array out;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      Json::Array records;
      for (const auto& ids : sequences[i]) records.push_back(record(inputs[i], prompts[i], ids, o));
      out.push_back(Json(std::move(records)));
    }
    return single ? std::move(out[0]) : Json(std::move(out));
  }

  TextStream stream(const PipelineCall& call) const override {
    const PromptOptions o = read(call);
    check(call.inputs.is_string() || is_chat(call.inputs), ErrorCode::invalid_argument,
          "[text-generation] one text or chat expected to stream, got ", call.inputs.type_name());
    const GenerationPrompt prompt = prompt_of(call.inputs, o);
    const bool remembers =
        is_chat(call.inputs) && o.config.use_cache && o.config.guidance_scale == 1 && !o.config.penalty_alpha;
    return stream_one(
        parts_, prompt, o.config, o.skip_special_tokens, call.cancel,
        [self = shared_from_this(), this, input = call.inputs, prompt, o](const auto& ids) {
          return record(input, prompt, ids, o);
        },
        remembers ? chats_->lend() : nullptr);
  }

 private:
  PromptOptions read(const PipelineCall& call) const {
    CallOptions v(call.options, parts_.task);
    PromptOptions o;
    std::optional<bool> full, tensors, text;
    v("return_full_text", full);
    v("return_tensors", tensors);
    v("return_text", text);
    check(!full || (!tensors && !text), ErrorCode::invalid_argument,
          "[text-generation] return_full_text excludes return_text and return_tensors");
    check(!tensors || !text, ErrorCode::invalid_argument, "[text-generation] return_text excludes return_tensors");
    if (full) o.result = *full ? PromptOptions::Result::full_text : PromptOptions::Result::new_text;
    if (tensors) o.result = PromptOptions::Result::tokens;
    v("clean_up_tokenization_spaces", o.clean_up);
    v("skip_special_tokens", o.skip_special_tokens);
    v("continue_final_message", o.continue_final_message);
    std::string long_generation;
    v("handle_long_generation", long_generation);
    if (!long_generation.empty() && long_generation != "hole")
      v.fail_type("handle_long_generation", "null or \"hole\"");
    o.leave_room = long_generation == "hole";
    if (const Json* prefix = model().config().find("prefix"); prefix && prefix->is_string())
      o.prefix = prefix->as_string();
    v("prefix", o.prefix);
    o.batch_size = read_batch_size(v);
    if (v.given("tools")) o.chat.tools = *v.find("tools");
    if (v.given("documents")) o.chat.documents = *v.find("documents");
    read_encoding(v, o);
    o.config = call_config(parts_, prompt_defaults(), read_generation_settings(v));
    return o;
  }

  /// tokenizer_encode_kwargs go to the chat template of a chat, to the tokenizer else.
  void read_encoding(CallOptions& v, PromptOptions& o) const {
    const Json none = Json::object();
    const Json* nested = v.find("tokenizer_encode_kwargs");
    CallOptions inside(nested && !nested->is_null() ? *nested : none, parts_.task);
    o.encode = read_encode_options(v, tokenizer());
    const EncodeOptions other = read_encode_options(inside, tokenizer());
    if (inside.given("add_special_tokens")) o.encode.add_special_tokens = other.add_special_tokens;
    if (other.truncation) o.encode.truncation = other.truncation;
    inside("chat_template", o.chat_template);
    o.chat.extra = inside.rest();
  }

  GenerationPrompt prompt_of(const Json& input, const PromptOptions& o) const {
    EncodeOptions encode = o.encode;
    std::string text;
    if (is_chat(input)) {
      encode.add_special_tokens = false;  // the template writes them
      text = continues(input, o) ? open_ended_prompt(parts_.tokenizer, input, o)
                                 : parts_.tokenizer.chat_prompt(input, true, o.chat, o.chat_template);
    } else {
      check(input.is_string(), ErrorCode::invalid_argument,
            "[text-generation] a text or a chat expected, the list holds ", input.type_name());
      text = o.prefix + input.as_string();
    }
    const Encoding encoding = tokenizer().encode(text, encode);
    GenerationPrompt out{{encoding.ids.begin(), encoding.ids.end()}};
    if (o.leave_room) cut_for(out.ids, o.config);
    if (out.ids.empty()) {
      check(o.config.bos_token_id.has_value(), ErrorCode::invalid_argument,
            "[text-generation] the prompt is empty, and the model names no token to begin with");
      out.ids = out.start = {*o.config.bos_token_id};
    }
    return out;
  }

  static bool continues(const Json& chat, const PromptOptions& o) {
    const Json* role = chat.as_array().back().find("role");
    return o.continue_final_message.value_or(role && role->is_string() && role->as_string() == "assistant");
  }

  /// Leaves room for the new tokens by cutting the prompt's beginning.
  void cut_for(std::vector<std::int64_t>& ids, const GenerationConfig& config) const {
    const auto length = static_cast<std::int64_t>(ids.size());
    const std::int64_t fresh = config.max_new_tokens > 0 ? config.max_new_tokens : config.max_length - length;
    check(fresh >= 0, ErrorCode::invalid_argument, "[text-generation] max_length ", config.max_length,
          " leaves nothing for new tokens behind a prompt of ", length);
    const std::int64_t limit = max_length_of(tokenizer());
    if (length + fresh <= limit) return;
    check(limit > fresh, ErrorCode::invalid_argument, "[text-generation] ", fresh, " new tokens do not fit into ",
          limit);
    ids.erase(ids.begin(), ids.end() - static_cast<std::ptrdiff_t>(limit - fresh));
  }

  Json record(const Json& input, const GenerationPrompt& prompt, const std::vector<std::int64_t>& fresh,
              const PromptOptions& o) const {
    Json out = Json::object();
    if (o.result == PromptOptions::Result::tokens) {
      std::vector<std::int64_t> all = prompt.start.empty() ? prompt.ids : std::vector<std::int64_t>();
      all.insert(all.end(), fresh.begin(), fresh.end());
      out.set("generated_token_ids", Json(Json::Array(all.begin(), all.end())));
      return out;
    }
    const std::vector<TokenId> ids(fresh.begin(), fresh.end());
    const std::string text = tokenizer().decode(ids, o.skip_special_tokens, o.clean_up);
    if (o.result == PromptOptions::Result::new_text)
      out.set("generated_text", text);
    else if (input.is_string())
      out.set("generated_text", input.as_string() + text);
    else
      out.set("generated_text", answered(input, text, continues(input, o)));
    return out;
  }

  static Json answered(Json chat, const std::string& text, bool same_message) {
    Json::Array& messages = chat.as_array();
    if (same_message)
      messages.back().set("content", messages.back().at("content").as_string() + text);
    else
      messages.push_back(chat_message("assistant", text));
    return chat;
  }

  std::shared_ptr<ChatMemory> chats_;
};

}  // namespace

PipelineTaskPtr make_text_generation(PipelineParts parts) {
  return std::make_shared<const TextGeneration>(std::move(parts));
}

}  // namespace trustformers
