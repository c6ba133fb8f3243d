#include "pipeline.h"

#include "../base/file_set.h"
#include "../hub/cache.h"
#include "pipeline_task.h"

namespace trustformers {
namespace {

// The default models are those of transformers, where it has the task.
constexpr std::string_view t5_base = "google-t5/t5-base";
constexpr PipelineName task_table[] = {
    {"text-generation", "HuggingFaceTB/SmolLM3-3B", Task::causal_lm},
    {"text2text-generation", t5_base, Task::seq2seq_lm},
    {"summarization", "sshleifer/distilbart-cnn-12-6", Task::seq2seq_lm},
    {"translation", t5_base, Task::seq2seq_lm},
    {"fill-mask", "distilbert/distilroberta-base", Task::masked_lm},
    {"text-classification", "distilbert/distilbert-base-uncased-finetuned-sst-2-english",
     Task::sequence_classification},
    {"zero-shot-classification", "facebook/bart-large-mnli", Task::sequence_classification},
    {"token-classification", "dbmdz/bert-large-cased-finetuned-conll03-english", Task::token_classification},
    {"question-answering", "distilbert/distilbert-base-cased-distilled-squad", Task::question_answering},
    {"feature-extraction", "distilbert/distilbert-base-cased", Task::base},
    {"sentence-similarity", "sentence-transformers/all-MiniLM-L6-v2", Task::base},
    {"text-ranking", "cross-encoder/ms-marco-MiniLM-L6-v2", Task::sequence_classification},
};
using MakeTask = PipelineTaskPtr (*)(PipelineParts);
constexpr MakeTask task_makers[] = {
    make_text_generation,    make_text2text_generation, make_text2text_generation,     make_text2text_generation,
    make_fill_mask,          make_text_classification,  make_zero_shot_classification, make_token_classification,
    make_question_answering, make_feature_extraction,   make_sentence_similarity,      make_text_ranking};
static_assert(std::size(task_table) == std::size(task_makers));

std::size_t find_task(std::string_view task) {
  if (task == "sentiment-analysis") task = "text-classification";
  if (task == "ner") task = "token-classification";
  if (task.starts_with("translation_") && task.find("_to_") != std::string_view::npos) task = "translation";
  std::string known;
  for (std::size_t i = 0; i < std::size(task_table); ++i) {
    if (task_table[i].task == task) return i;
    known += (i > 0 ? ", " : "") + std::string(task_table[i].task);
  }
  fail(ErrorCode::invalid_argument, "[pipeline] there is no task \"", task, "\"; known are: ", known);
}

Pipeline make_pipeline(std::size_t task, PipelineParts parts, const Json& options) {
  parts.task = task_table[task].task;
  return Pipeline(task_makers[task](std::move(parts)), options);
}

}  // namespace

TextStream PipelineTask::stream(const PipelineCall&) const {
  fail(ErrorCode::unsupported, "[", parts_.task, "] gives nothing to stream");
}

std::string PipelineTask::label(std::size_t id) const {
  const std::vector<std::string>& labels = model().common().labels;
  return id < labels.size() && !labels[id].empty() ? labels[id] : "LABEL_" + std::to_string(id);
}

Pipeline::Pipeline(std::shared_ptr<const PipelineTask> task, Json options)
    : task_(std::move(task)), options_(std::move(options)) {
  check(options_.is_object(), ErrorCode::invalid_argument, "[pipeline] options must be a JSON object, got ",
        options_.type_name());
}

Json Pipeline::operator()(const Json& inputs, const Json& options, const CancelToken& cancel) const {
  if (inputs.is_array() && inputs.size() == 0) return Json::array();
  const Json merged = merged_options(options_, options);
  return task_->run({inputs, merged, options, cancel});
}

TextStream Pipeline::stream(const Json& input, const Json& options, const CancelToken& cancel) const {
  const Json merged = merged_options(options_, options);
  return task_->stream({input, merged, options, cancel});
}

std::string_view Pipeline::task() const { return task_->parts().task; }
const PreTrainedTokenizer& Pipeline::tokenizer() const { return task_->parts().tokenizer; }
const PreTrainedModel& Pipeline::model() const { return task_->parts().model; }

std::span<const PipelineName> pipeline_tasks() { return task_table; }
Task pipeline_model(std::string_view task) { return task_table[find_task(task)].model; }

Pipeline pipeline(std::string_view task, std::string_view model, const Json& options, const LoadOptions& load) {
  const std::size_t at = find_task(task);
  const std::string name(model.empty() ? task_table[at].default_model : model);
  if (task_table[at].task == "sentence-similarity") {
    auto sentences = std::make_shared<const SentenceTransformer>(SentenceTransformer::from_pretrained(name, load));
    return make_pipeline(at, {{}, std::string(task), sentences->tokenizer(), sentences->model(), sentences}, options);
  }
  LoadOptions wanted = load;
  wanted.task = task_table[at].model;
  return make_pipeline(
      at, {{}, std::string(task), AutoTokenizer::from_pretrained(name), open_model(name, wanted.task, wanted)},
      options);
}

Pipeline pipeline(std::string_view task, PreTrainedTokenizer tokenizer, PreTrainedModel model, const Json& options,
                  const FileSet* files) {
  const std::size_t at = find_task(task);
  PipelineParts parts{{}, std::string(task), std::move(tokenizer), std::move(model)};
  if (task_table[at].task == "sentence-similarity") {
    const MemoryFiles none;
    parts.sentences = std::make_shared<const SentenceTransformer>(parts.tokenizer, parts.model, files ? *files : none);
  }
  return make_pipeline(at, std::move(parts), options);
}

}  // namespace trustformers
