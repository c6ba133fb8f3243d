// RoBERTa (Liu et al. 2019) and its kin XLM-RoBERTa (Conneau et al. 2020) and CamemBERT (Martin et al. 2020): BERT's
// body, with positions that count what is not padding.
#include "bert_body.h"

namespace trustformers {
namespace {

template <Task task>
std::unique_ptr<Model> make(const Json& json, std::string_view where, const Scope& root) {
  BertConfig c;
  c.pad_token_id = 1;
  c.positions_from_padding = true;
  read_encoder_config_into(c, json, where);
  const EncoderHeads heads{
      .body = "roberta",
      .lm = {.dense = "lm_head.dense", .activation = "gelu", .norm = "lm_head.layer_norm", .eps = c.layer_norm_eps},
      .lm_decoder = "lm_head.decoder",
      .lm_bias = "lm_head.bias",
      .lm_untied_bias = "lm_head.decoder.bias",
      .sentence = SentenceVector::first,
      .sentence_transform = {.dense = "classifier.dense", .activation = "tanh"},
      .sentence_classifier = "classifier.out_proj"};
  return make_bert_like(json, where, root, task, c, heads);
}

/// The classes of a family that differs in names alone.
struct Names {
  std::string_view model, masked, causal, sequence, token, question, choice;
};
Architecture family(std::string_view model_type, const Names& n) {
  return {.model_type = model_type,
          .base_prefix = "roberta",
          .classes = {{n.model, Task::base, make<Task::base>},
                      {n.masked, Task::masked_lm, make<Task::masked_lm>},
                      {n.causal, Task::causal_lm, make<Task::causal_lm>},
                      {n.sequence, Task::sequence_classification, make<Task::sequence_classification>},
                      {n.token, Task::token_classification, make<Task::token_classification>},
                      {n.question, Task::question_answering, make<Task::question_answering>},
                      {n.choice, Task::multiple_choice, make<Task::multiple_choice>}},
          .gguf = {}};
}

}  // namespace

Architecture roberta_architecture() {
  return family("roberta",
                {"RobertaModel", "RobertaForMaskedLM", "RobertaForCausalLM", "RobertaForSequenceClassification",
                 "RobertaForTokenClassification", "RobertaForQuestionAnswering", "RobertaForMultipleChoice"});
}

Architecture xlm_roberta_architecture() {
  return family("xlm-roberta", {"XLMRobertaModel", "XLMRobertaForMaskedLM", "XLMRobertaForCausalLM",
                                "XLMRobertaForSequenceClassification", "XLMRobertaForTokenClassification",
                                "XLMRobertaForQuestionAnswering", "XLMRobertaForMultipleChoice"});
}

Architecture camembert_architecture() {
  return family("camembert",
                {"CamembertModel", "CamembertForMaskedLM", "CamembertForCausalLM", "CamembertForSequenceClassification",
                 "CamembertForTokenClassification", "CamembertForQuestionAnswering", "CamembertForMultipleChoice"});
}

}  // namespace trustformers
