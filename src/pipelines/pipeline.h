// pipeline("task", model): from texts to results, field for field as transformers' pipelines give them.
//
//   const auto classify = pipeline("text-classification", "./distilbert-sst2");
//   classify("I love it.").dump();  // [{"label":"POSITIVE","score":0.99}]
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "auto_classes.h"
#include "text_stream.h"

namespace trustformers {

class FileSet;
class PipelineTask;

/// A model, its tokenizer and what a task does with them. Immutable; copies share. docs/pipelines.md lists the tasks
/// with their inputs, options and results.
class Pipeline {
 public:
  Pipeline(std::shared_ptr<const PipelineTask> task, Json options);

  /// `inputs` is one input or a list of them, and the result one result or a list of them. Options are those of
  /// transformers, over those that the pipeline was made with. Errors: invalid_argument for inputs and options that
  /// the task does not know, cancelled.
  Json operator()(const Json& inputs, const Json& options = Json::object(), const CancelToken& cancel = {}) const;

  /// The same for one input of a task that generates text, piece by piece. Errors: unsupported for other tasks, and for
  /// settings that know their text only at the end (beams, several sequences).
  TextStream stream(const Json& input, const Json& options = Json::object(), const CancelToken& cancel = {}) const;

  /// "text-classification", ...; never an alias.
  std::string_view task() const;
  const PreTrainedTokenizer& tokenizer() const;
  const PreTrainedModel& model() const;

 private:
  std::shared_ptr<const PipelineTask> task_;
  Json options_;
};

struct PipelineName {
  std::string_view task;
  std::string_view default_model;  // a hub id
  Task model;
};
/// The tasks there are.
std::span<const PipelineName> pipeline_tasks();

/// Opens `model` (as resolve_model takes it; empty: the task's default model) for a task: one of pipeline_tasks(), its
/// alias ("sentiment-analysis", "ner"), or "translation_en_to_fr" and the like. `options` hold for every call. Errors:
/// invalid_argument for an unknown task, and as of AutoModel.
Pipeline pipeline(std::string_view task, std::string_view model = {}, const Json& options = Json::object(),
                  const LoadOptions& load = {});
/// The same of a model and a tokenizer that are open. `files` are the small files of the model's folder, of which
/// modules.json and what it names say how sentences become vectors.
Pipeline pipeline(std::string_view task, PreTrainedTokenizer tokenizer, PreTrainedModel model,
                  const Json& options = Json::object(), const FileSet* files = nullptr);
/// The class of model that a task needs.
Task pipeline_model(std::string_view task);

}  // namespace trustformers
