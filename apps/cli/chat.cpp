// chat: a conversation in the model's own format. run: the continuation of a text.
#include <cstdio>
#include <iostream>
#include <memory>

#include <trustformers/trustformers.h>
#include <CLI/CLI.hpp>

#include "commands.h"
#include "terminal.h"

namespace trustformers::cli {
namespace {

struct ChatArguments {
  std::string model, prompt, system, adapter;
  GenerationConfig generation;
  std::int64_t max_new_tokens = 512;
  double temperature = 0, top_p = 0, repetition_penalty = 0;
  std::int64_t top_k = -1;
  std::uint64_t seed = 0;
  bool sample = false, exact = false, stats = false, json = false;
  std::vector<std::string> stop;
  std::string json_schema, grammar, regex;
};

/// An option's text, or that of the file it names with @ in front.
std::string text_or_file(const std::string& given) {
  return given.starts_with('@') ? read_text_file(given.substr(1), std::uint64_t{1} << 24) : given;
}

void add_generation_options(CLI::App& command, ChatArguments& o) {
  command.add_option("-n,--max-new-tokens", o.max_new_tokens, "Tokens to generate at most")->capture_default_str();
  command.add_flag("--sample", o.sample, "Draw tokens instead of taking the likeliest (implied by the next four)");
  command.add_option("--temperature", o.temperature, "Flatten (> 1) or sharpen (< 1) the distribution");
  command.add_option("--top-k", o.top_k, "Draw among the k likeliest");
  command.add_option("--top-p", o.top_p, "Draw among the likeliest with this much probability together");
  command.add_option("--seed", o.seed, "The same seed gives the same tokens");
  command.add_option("--repetition-penalty", o.repetition_penalty, "Above 1: avoid tokens that were there");
  command.add_option("--stop", o.stop, "Text that ends the answer (may be given several times)");
  auto* const schema = command.add_option("--json-schema", o.json_schema,
                                          "The answer is JSON valid against this schema (@FILE reads it)");
  auto* const grammar =
      command.add_option("--grammar", o.grammar, "The answer follows this GBNF grammar (@FILE reads it)");
  auto* const regex = command.add_option("--regex", o.regex, "The answer matches this regular expression");
  schema->excludes(grammar)->excludes(regex);
  grammar->excludes(regex);
  command.add_option("--adapter", o.adapter, "Folder of a LoRA adapter")->check(CLI::ExistingDirectory);
  command.add_flag("--exact", o.exact, "Keep activations in f32 beside quantised weights");
  command.add_flag("--stats", o.stats, "Print speed and memory to stderr");
  command.add_flag("--json", o.json, "One JSON object instead of streamed text");
}

class Speaker {
 public:
  explicit Speaker(const ChatArguments& o)
      : options_(o), tokenizer_(AutoTokenizer::from_pretrained(o.model)), model_(open(o)) {
    config_ = model_.generation_config();
    config_.max_new_tokens = o.max_new_tokens;
    config_.stop_strings = o.stop;
    config_.do_sample = o.sample || o.temperature > 0 || o.top_k >= 0 || o.top_p > 0 || o.seed != 0;
    if (o.temperature > 0) config_.temperature = o.temperature;
    if (o.top_k >= 0) config_.top_k = o.top_k;
    if (o.top_p > 0) config_.top_p = o.top_p;
    if (o.repetition_penalty > 0) config_.repetition_penalty = o.repetition_penalty;
    config_.seed = o.seed;
    if (!o.json_schema.empty())
      constrain(config_, tokenizer_.tokenizer(), Grammar::json_schema(text_or_file(o.json_schema)));
    if (!o.grammar.empty()) constrain(config_, tokenizer_.tokenizer(), Grammar::gbnf(text_or_file(o.grammar)));
    if (!o.regex.empty()) constrain(config_, tokenizer_.tokenizer(), Grammar::regex(o.regex));
    config_.validate();
    session_ = std::make_unique<Session>(model_.model());
  }

  const PreTrainedTokenizer& tokenizer() const { return tokenizer_; }

  /// Streams the continuation of the prompt to stdout and returns it.
  std::string say(const std::string& prompt, bool add_special_tokens) {
    const Interruptible interruptible;
    const std::vector<std::int64_t> ids =
        tokenizer_(prompt, {.add_special_tokens = add_special_tokens}).input_ids.to_vector<std::int64_t>();
    TextStreamer streamer(
        tokenizer_,
        [&](std::string_view piece) {
          if (!options_.json) std::cout << piece << std::flush;
          return true;
        },
        config_.stop_strings);
    GenerationConfig config = config_;
    config.stop_strings.clear();  // the streamer knows them
    std::vector<std::int64_t> tokens;
    try {
      tokens = session_->generate(
          ids, config, [&](std::span<const std::int64_t> next) { return streamer.put(next[0]); },
          &interruptible.token());
    } catch (const Error& error) {
      if (error.code() != ErrorCode::cancelled) throw;
    }
    streamer.end();
    report(streamer.text(), tokens);
    return streamer.text();
  }

 private:
  static PreTrainedModel open(const ChatArguments& o) {
    ProgressLine progress;
    LoadOptions load;
    load.parameters.exact_activations = o.exact;
    load.parameters.progress = progress.callback();
    load.adapter = o.adapter;
    return AutoModelForCausalLM::from_pretrained(o.model, load);
  }

  void report(const std::string& text, const std::vector<std::int64_t>& tokens) const {
    const GenerateStats& s = session_->stats();
    const auto rate = [](std::int64_t count, double seconds) {
      return seconds > 0 ? static_cast<double>(count) / seconds : 0.0;
    };
    const double prefill = rate(s.prompt_tokens - s.reused_tokens, s.prefill_seconds);
    const double decode = rate(s.new_tokens - 1, s.decode_seconds);
    if (options_.json) {
      Json out = Json::object();
      out.set("text", Json(text));
      out.set("tokens", Json(Json::Array(tokens.begin(), tokens.end())));
      out.set("prompt_tokens", Json(s.prompt_tokens));
      out.set("reused_tokens", Json(s.reused_tokens));
      out.set("prefill_tokens_per_second", Json(prefill));
      out.set("decode_tokens_per_second", Json(decode));
      out.set("peak_memory_bytes", Json(peak_resident_bytes()));
      std::cout << out.dump() << std::endl;
      return;
    }
    std::cout << std::endl;
    if (options_.stats)
      std::fprintf(
          stderr,
          "prefill %lld tokens at %.1f tokens/s, decode %lld tokens at %.1f tokens/s, peak memory %s, %d threads\n",
          static_cast<long long>(s.prompt_tokens - s.reused_tokens), prefill, static_cast<long long>(s.new_tokens),
          decode, human_bytes(static_cast<double>(peak_resident_bytes())).c_str(),
          Context::current().threads().threads());
  }

  const ChatArguments& options_;
  PreTrainedTokenizer tokenizer_;
  PreTrainedModel model_;
  GenerationConfig config_;
  std::unique_ptr<Session> session_;
};

void chat(const ChatArguments& o) {
  Speaker speaker(o);
  Json::Array messages;
  if (!o.system.empty()) messages.push_back(chat_message("system", o.system));
  const auto turn = [&](const std::string& question) {
    messages.push_back(chat_message("user", question));
    const std::string answer = speaker.say(speaker.tokenizer().chat_prompt(Json(messages)), false);
    messages.push_back(chat_message("assistant", answer));
  };
  if (!o.prompt.empty()) return turn(o.prompt);
  if (!stdin_is_terminal()) return turn(read_stdin());
  std::cerr << "Type a message and Enter; an empty line or Ctrl-D ends, Ctrl-C stops an answer.\n";
  for (std::string line; std::cerr << "> " << std::flush, std::getline(std::cin, line) && !line.empty();) turn(line);
}

}  // namespace

void add_chat(CLI::App& app, Run& chosen) {
  CLI::App* command = app.add_subcommand("chat", "Talk with a model that has a chat template");
  const auto o = std::make_shared<ChatArguments>();
  command->add_option("MODEL", o->model, "Folder, file or cached hub id")->required();
  command->add_option("-p,--prompt", o->prompt, "Ask this and stop, instead of a conversation");
  command->add_option("--system", o->system, "System message");
  add_generation_options(*command, *o);
  command->footer(
      "Examples:\n"
      "  trustformers chat SmolLM2-135M-Instruct.gguf\n"
      "  trustformers chat ./model --prompt 'What is the capital of France?' --stats\n"
      "  trustformers chat ./model -p 'Name a cat and its age.' --json-schema @cat.schema.json\n"
      "  echo 'Write a haiku.' | trustformers chat ./model --temperature 0.8 --seed 1 --json");
  command->callback([o, &chosen] { chosen = [o] { chat(*o); }; });
}

void add_run(CLI::App& app, Run& chosen) {
  CLI::App* command = app.add_subcommand("run", "Continue a text");
  const auto o = std::make_shared<ChatArguments>();
  command->add_option("MODEL", o->model, "Folder, file or cached hub id")->required();
  command->add_option("-p,--prompt", o->prompt, "The text; stdin when absent");
  add_generation_options(*command, *o);
  command->footer(
      "Examples:\n"
      "  trustformers run ./gpt2 --prompt 'Once upon a time' --max-new-tokens 50\n"
      "  trustformers run model.gguf --top-p 0.9 --seed 7 < story.txt");
  command->callback(
      [o, &chosen] { chosen = [o] { Speaker(*o).say(o->prompt.empty() ? read_stdin() : o->prompt, true); }; });
}

}  // namespace trustformers::cli
