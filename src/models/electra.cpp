// ELECTRA (Clark et al. 2020): BERT's body with narrow tables; the generator is a masked language model, the
// discriminator tells replaced tokens.
#include "bert_body.h"

namespace trustformers {
namespace {

struct ElectraConfig : BertConfig {
  std::string summary_type = "first", summary_activation = "gelu";
  bool summary_use_proj = true;

  void fields(auto& v) {
    BertConfig::fields(v);
    v("embedding_size", embedding_size);
    v("summary_type", summary_type);
    v("summary_activation", summary_activation);
    v("summary_use_proj", summary_use_proj);
  }
  SentenceVector summary(std::string_view where) const {
    if (summary_type == "first") return SentenceVector::first;
    if (summary_type == "mean") return SentenceVector::mean;
    // without an index, "cls_index" too is the last position
    if (summary_type == "last" || summary_type == "cls_index") return SentenceVector::last;
    fail(ErrorCode::unsupported, "[config] ", where,
         ": \"summary_type\" must be first, last, mean or cls_index, got \"", summary_type, "\"");
  }
};

template <Task task>
std::unique_ptr<Model> make(const Json& json, std::string_view where, const Scope& root) {
  ElectraConfig c;
  c.embedding_size = 128;
  c.has_pooler = false;
  read_encoder_config_into(c, json, where);
  // null means none here, where elsewhere it means the default
  if (const Json* act = json.find("summary_activation"); act && act->is_null()) c.summary_activation.clear();
  const SentenceVector summary = c.summary(where);
  const EncoderHeads heads{
      .body = "electra",
      .lm = {.dense = "generator_predictions.dense",
             .activation = "gelu",
             .norm = "generator_predictions.LayerNorm",
             .outputs = c.embedding_size,
             .eps = c.layer_norm_eps},
      .lm_decoder = "generator_lm_head",
      .lm_bias = "generator_lm_head.bias",
      .lm_untied_bias = "generator_lm_head.bias",
      .sentence = SentenceVector::first,
      .sentence_transform = {.dense = "classifier.dense", .activation = "gelu"},
      .sentence_classifier = "classifier.out_proj",
      .choice = summary,
      .choice_transform = {.dense = c.summary_use_proj ? "sequence_summary.summary" : "",
                           .activation = c.summary_activation},
      .detector_transform = {.dense = "discriminator_predictions.dense", .activation = c.hidden_act},
      .detector = "discriminator_predictions.dense_prediction"};
  return make_bert_like(json, where, root, task, c, heads);
}

}  // namespace

Architecture electra_architecture() {
  return {.model_type = "electra",
          .base_prefix = "electra",
          .classes = {{"ElectraModel", Task::base, make<Task::base>},
                      {"ElectraForMaskedLM", Task::masked_lm, make<Task::masked_lm>},
                      {"ElectraForCausalLM", Task::causal_lm, make<Task::causal_lm>},
                      {"ElectraForSequenceClassification", Task::sequence_classification,
                       make<Task::sequence_classification>},
                      {"ElectraForTokenClassification", Task::token_classification, make<Task::token_classification>},
                      {"ElectraForQuestionAnswering", Task::question_answering, make<Task::question_answering>},
                      {"ElectraForMultipleChoice", Task::multiple_choice, make<Task::multiple_choice>},
                      {"ElectraForPreTraining", Task::pretraining, make<Task::pretraining>}},
          .gguf = {}};
}

}  // namespace trustformers
