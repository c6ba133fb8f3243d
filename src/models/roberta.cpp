// RoBERTa (Liu et al. 2019) and its kin XLM-RoBERTa (Conneau et al. 2020) and CamemBERT (Martin et al. 2020): BERT's
// body, with positions that count what is not padding.
#include "bert_body.h"

namespace trustformers {
namespace {

std::unique_ptr<Model> make_roberta(const Json& json, std::string_view where, const Scope& root, Task task) {
  BertConfig c;
  c.pad_token_id = 1;
  c.positions_from_padding = true;
  read_encoder_config_into(c, json, where);
  return make_bert_like(json, where, root, task, c, roberta_heads("roberta", c.layer_norm_eps));
}

Architecture roberta_like(std::string_view model_type, std::string_view family) {
  return {.model_type = model_type,
          .base_prefix = "roberta",
          .classes = encoder_classes(family,
                                     {Task::base, Task::masked_lm, Task::causal_lm, Task::sequence_classification,
                                      Task::token_classification, Task::question_answering, Task::multiple_choice},
                                     make_roberta),
          .gguf = {}};
}

}  // namespace

Architecture roberta_architecture() { return roberta_like("roberta", "Roberta"); }
Architecture xlm_roberta_architecture() { return roberta_like("xlm-roberta", "XLMRoberta"); }
Architecture camembert_architecture() { return roberta_like("camembert", "Camembert"); }

}  // namespace trustformers
