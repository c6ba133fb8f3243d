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

std::unique_ptr<Model> make_electra(const Json& json, std::string_view where, const Scope& root, Task task) {
  ElectraConfig c;
  c.embedding_size = 128;
  c.has_pooler = false;
  read_encoder_config_into(c, json, where);
  // null means none here, where elsewhere it means the default
  const Json* act = json.find("summary_activation");
  const auto summary_activation = act && act->is_null()
                                      ? std::optional<ActivationFunction>()
                                      : ActivationFunction::parse(c.summary_activation, "summary_activation");
  const EncoderHeads heads{
      .body = "electra",
      .lm = {.dense = "generator_predictions.dense",
             .activation = fixed_activation("gelu"),
             .norm = "generator_predictions.LayerNorm",
             .outputs = c.embedding_size,
             .eps = c.layer_norm_eps},
      .lm_decoder = "generator_lm_head",
      .lm_bias = "generator_lm_head.bias",
      .lm_untied_bias = "generator_lm_head.bias",
      .sentence = SentenceVector::first,
      .sentence_transform = {.dense = "classifier.dense", .activation = fixed_activation("gelu")},
      .sentence_classifier = "classifier.out_proj",
      .choice = c.summary(where),
      .choice_transform = {.dense = c.summary_use_proj ? "sequence_summary.summary" : "",
                           .activation = summary_activation},
      .detector_transform = {.dense = "discriminator_predictions.dense", .activation = c.activation()},
      .detector = "discriminator_predictions.dense_prediction"};
  return make_bert_like(json, where, root, task, c, heads);
}

}  // namespace

Architecture electra_architecture() {
  return {.model_type = "electra",
          .base_prefix = "electra",
          .classes = encoder_classes(
              "Electra",
              {Task::base, Task::masked_lm, Task::causal_lm, Task::sequence_classification, Task::token_classification,
               Task::question_answering, Task::multiple_choice, Task::pretraining},
              make_electra),
          .gguf = {}};
}

}  // namespace trustformers
