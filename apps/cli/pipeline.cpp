// pipeline: any task of a pipeline, from the command line.
#include <algorithm>
#include <iostream>
#include <memory>
#include <sstream>

#include <trustformers/trustformers.h>
#include <CLI/CLI.hpp>

#include "commands.h"
#include "terminal.h"

namespace trustformers::cli {
namespace {

struct PipelineArguments {
  std::string task, model, input;
  bool json = false;
  std::vector<std::string> rest;   // of the command line
  std::vector<std::string> texts;  // of those
};

/// JSON where it is some, else a text.
Json value_of(const std::string& text) {
  try {
    return Json::parse(text);
  } catch (const Error&) {
    return text;
  }
}

/// Texts, and options by name: every "--name" takes the word after it, or what follows its "=".
Json read_words(PipelineArguments& a) {
  Json options = Json::object();
  for (std::size_t i = 0; i < a.rest.size(); ++i) {
    const std::string& word = a.rest[i];
    if (!word.starts_with("--")) {
      a.texts.push_back(word);
      continue;
    }
    const std::size_t equals = word.find('=');
    std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
    std::replace(name.begin(), name.end(), '-', '_');
    check(equals != std::string::npos || i + 1 < a.rest.size(), ErrorCode::invalid_argument, "[pipeline] the option ",
          word, " needs a value");
    options.set(name, value_of(equals != std::string::npos ? word.substr(equals + 1) : a.rest[++i]));
  }
  return options;
}

Json take(Json& options, std::string_view name) {
  Json taken;
  Json rest = Json::object();
  for (const auto& [key, value] : options.as_object())
    if (key == name)
      taken = value;
    else
      rest.set(key, value);
  options = std::move(rest);
  return taken;
}

/// The texts of the command line in the form that the task takes.
Json inputs_of(const PipelineArguments& a, std::string_view task, Json& options) {
  if (!a.input.empty()) return Json::parse(a.input, "--input");
  std::vector<std::string> texts = a.texts;
  if (texts.empty()) {
    std::istringstream lines(read_stdin());
    for (std::string line; std::getline(lines, line);) texts.push_back(line);
  }
  check(!texts.empty(), ErrorCode::invalid_argument, "[pipeline] needs at least one text");
  const Json list = Json::Array(texts.begin(), texts.end());
  const Json others = Json::Array(texts.begin() + 1, texts.end());
  if (task == "question-answering") {
    const Json context = take(options, "context");
    check(context.is_string(), ErrorCode::invalid_argument, "[pipeline] questions need --context TEXT");
    return Json::Object{{"question", texts.size() == 1 ? Json(texts[0]) : list}, {"context", context}};
  }
  if (task == "sentence-similarity") return Json::Object{{"source_sentence", texts[0]}, {"sentences", others}};
  if (task == "text-ranking") return Json::Object{{"query", texts[0]}, {"documents", others}};
  return texts.size() == 1 ? Json(texts[0]) : list;
}

/// One line a result: its fields, divided by tabs.
void print_plain(const Json& result) {
  if (result.is_array()) {
    for (const Json& item : result.as_array()) print_plain(item);
  } else if (result.is_object()) {
    std::string line;
    for (const auto& [name, value] : result.as_object())
      line += (line.empty() ? "" : "\t") + (value.is_string() ? value.as_string() : value.dump());
    std::cout << line << "\n";
  } else {
    std::cout << (result.is_string() ? result.as_string() : result.dump()) << "\n";
  }
}

void run_pipeline(PipelineArguments a) {
  Json options = read_words(a);
  const Pipeline run = [&] {
    ProgressLine progress;
    LoadOptions load;
    load.parameters.progress = progress.callback();
    return pipeline(a.task, a.model, Json::object(), load);
  }();
  const Json inputs = inputs_of(a, run.task(), options);
  const Interruptible interruptible;
  // Text shows as it comes, unless something asks for what only the end tells.
  const bool plain = options.find("num_beams") == nullptr && options.find("num_return_sequences") == nullptr;
  if (!a.json && run.task() == "text-generation" && plain && inputs.is_string()) {
    TextStream stream = run.stream(inputs, options, interruptible.token());
    std::cout << inputs.as_string();
    while (const auto piece = stream.next()) std::cout << *piece << std::flush;
    std::cout << "\n";
    return;
  }
  const Json result = run(inputs, options, interruptible.token());
  if (a.json)
    std::cout << result.dump() << "\n";
  else
    print_plain(result);
}

std::string task_list() {
  std::string out;
  for (const PipelineName& name : pipeline_tasks()) out += (out.empty() ? "" : ", ") + std::string(name.task);
  return out;
}

}  // namespace

void add_pipeline(CLI::App& app, Run& chosen) {
  CLI::App* command = app.add_subcommand("pipeline", "Classify, tag, fill in, answer, translate, rank texts");
  const auto a = std::make_shared<PipelineArguments>();
  command->add_option("TASK", a->task, task_list())->required();
  command->add_option("MODEL", a->model, "Folder, file or cached hub id; \"\" for the task's default")->required();
  command->add_option("--input", a->input, "The inputs as JSON instead");
  command->add_flag("--json", a->json, "The result as JSON, field for field as transformers gives it");
  command->allow_extras();
  command->footer(
      "Then come the texts (the lines of stdin when there are none) and the pipeline's own options with their values,\n"
      "by their names in transformers: --top-k 3 --multi-label true (docs/pipelines.md).\n"
      "Examples:\n"
      "  trustformers pipeline text-classification ./sst2 'I love it.' 'I hate it.' --top-k 2 --json\n"
      "  trustformers pipeline ner ./bert-ner 'Wolfgang lives in Berlin.' --aggregation-strategy simple\n"
      "  trustformers pipeline fill-mask ./bert 'Paris is the [MASK] of France.'\n"
      "  trustformers pipeline question-answering ./squad 'Where does he live?' --context 'He lives in Berlin.'\n"
      "  trustformers pipeline zero-shot-classification ./mnli 'It rains.' --candidate-labels weather,sports\n"
      "  trustformers pipeline translation_en_to_fr ./t5 'The house is wonderful.' --num-beams 4\n"
      "  trustformers pipeline text-ranking ./reranker 'capital of France' 'Paris is.' 'A cat sat.'");
  command->callback([a, command, &chosen] {
    a->rest = command->remaining();
    chosen = [a] { run_pipeline(*a); };
  });
}

}  // namespace trustformers::cli
