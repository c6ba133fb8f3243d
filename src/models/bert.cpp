// BERT (Devlin et al. 2019): post-norm encoder with learned positions; as a decoder also causal, with cross-attention.
#include "bert_body.h"

namespace trustformers {
namespace {

std::unique_ptr<Model> make_bert(const Json& json, std::string_view where, const Scope& root, Task task) {
  const auto c = read_encoder_config<BertConfig>(json, where);
  const EncoderHeads heads{.body = "bert",
                           .lm = {.dense = "cls.predictions.transform.dense",
                                  .activation = c.activation(),
                                  .norm = "cls.predictions.transform.LayerNorm",
                                  .eps = c.layer_norm_eps},
                           .lm_decoder = "cls.predictions.decoder",
                           .lm_bias = "cls.predictions.bias",
                           .lm_untied_bias = "cls.predictions.decoder.bias",
                           .pair_classifier = "cls.seq_relationship",
                           .pair_logits = &ModelOutput::seq_relationship_logits,
                           .pair_label = &ModelInputs::next_sentence_label};
  return make_bert_like(json, where, root, task, c, heads);
}

GgufArchitecture bert_gguf() {
  GgufArchitecture g;
  g.name = "bert";
  g.config = [](const GgufMetadata& m) {
    Json c = gguf_decoder_config(m, "bert", "bert");
    c.set("type_vocab_size", 0);  // unless the file has a table of types
    return c;
  };
  g.names = {{"embeddings.word_embeddings", "token_embd"},
             {"embeddings.position_embeddings", "position_embd"},
             {"embeddings.token_type_embeddings", "token_types"},
             {"embeddings.LayerNorm", "token_embd_norm"},
             {"encoder.layer.#.attention.self.query", "blk.#.attn_q"},
             {"encoder.layer.#.attention.self.key", "blk.#.attn_k"},
             {"encoder.layer.#.attention.self.value", "blk.#.attn_v"},
             {"encoder.layer.#.attention.output.dense", "blk.#.attn_output"},
             {"encoder.layer.#.attention.output.LayerNorm", "blk.#.attn_output_norm"},
             {"encoder.layer.#.intermediate.dense", "blk.#.ffn_up"},
             {"encoder.layer.#.output.dense", "blk.#.ffn_down"},
             {"encoder.layer.#.output.LayerNorm", "blk.#.layer_output_norm"}};
  return g;
}

}  // namespace

Architecture bert_architecture() {
  std::vector<ModelClass> classes = encoder_classes(
      "Bert",
      {Task::base, Task::causal_lm, Task::masked_lm, Task::sequence_classification, Task::token_classification,
       Task::question_answering, Task::multiple_choice, Task::next_sentence_prediction, Task::pretraining},
      make_bert);
  classes[1].name = "BertLMHeadModel";
  return {.model_type = "bert", .base_prefix = "bert", .classes = std::move(classes), .gguf = bert_gguf()};
}

}  // namespace trustformers
