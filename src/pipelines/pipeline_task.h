// What a task does; one file each.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "call_options.h"
#include "pipeline.h"
#include "sentence_transformer.h"

namespace trustformers {

/// What a pipeline is made of.
struct PipelineParts {
  std::string task;       // "translation"
  std::string full_task;  // "translation_en_to_fr"
  PreTrainedTokenizer tokenizer;
  PreTrainedModel model;
  std::shared_ptr<const SentenceTransformer> sentences{};  // of sentence-similarity
};

/// One call.
struct PipelineCall {
  const Json& inputs;
  const Json& options;  // the pipeline's and the call's
  const Json& given;    // the call's alone
  const CancelToken& cancel;
};

class PipelineTask : public std::enable_shared_from_this<PipelineTask> {
 public:
  explicit PipelineTask(PipelineParts parts) : parts_(std::move(parts)) {}
  virtual ~PipelineTask() = default;
  virtual Json run(const PipelineCall& call) const = 0;
  virtual TextStream stream(const PipelineCall& call) const;
  const PipelineParts& parts() const { return parts_; }

 protected:
  const Tokenizer& tokenizer() const { return parts_.tokenizer.tokenizer(); }
  const Model& model() const { return parts_.model.model(); }
  /// The name of a class: "LABEL_3" when the config names none.
  std::string label(std::size_t id) const;

  PipelineParts parts_;
};

using PipelineTaskPtr = std::shared_ptr<const PipelineTask>;
PipelineTaskPtr make_text_generation(PipelineParts parts);
/// Also summarization and translation.
PipelineTaskPtr make_text2text_generation(PipelineParts parts);
PipelineTaskPtr make_fill_mask(PipelineParts parts);
PipelineTaskPtr make_text_classification(PipelineParts parts);
PipelineTaskPtr make_zero_shot_classification(PipelineParts parts);
PipelineTaskPtr make_token_classification(PipelineParts parts);
PipelineTaskPtr make_question_answering(PipelineParts parts);
PipelineTaskPtr make_feature_extraction(PipelineParts parts);
PipelineTaskPtr make_sentence_similarity(PipelineParts parts);
PipelineTaskPtr make_text_ranking(PipelineParts parts);

}  // namespace trustformers
