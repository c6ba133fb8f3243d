// Nomic BERT (Nussbaum et al. 2024): post-norm encoder with rotary positions and SwiGLU, without biases.
#include "../ops/elementwise/binary.h"
#include "decoder.h"
#include "encoder.h"
#include "encoder_layers.h"

namespace trustformers {
namespace {

struct NomicBertConfig : EncoderConfig {
  std::int64_t head_dim = 0;  // 0: hidden_size / num_attention_heads
  double rotary_emb_base = 1000;
  RopeConfig rope;

  void fields(auto& v) {
    EncoderConfig::fields(v);
    v("activation_function", hidden_act);  // of the first releases: "swiglu"
    v("head_dim", head_dim);
    v("rotary_emb_base", rotary_emb_base);
  }
  void validate(std::string_view where) const {
    EncoderConfig::validate(where);
    check(head_dim >= 0 && head_dim < (1 << 20) && head_dim % 2 == 0, ErrorCode::parse, "[config] ", where,
          ": \"head_dim\" must be even and below 2^20, got ", head_dim);
  }
};

class NomicBertBody final : public Body {
 public:
  NomicBertBody(const Scope& scope, const NomicBertConfig& c, PoolerUse pooler)
      : words_(scope / "embeddings" / "word_embeddings", c.vocab_size, c.hidden_size, c.pad_token_id),
        norm_(scope / "emb_ln", c.hidden_size, c.layer_norm_eps),
        rotary_(c.rope, c.head_dim, c.max_position_embeddings) {
    if (c.type_vocab_size > 0)
      types_.emplace(scope / "embeddings" / "token_type_embeddings", c.type_vocab_size, c.hidden_size);
    for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) {
      const Scope layer = scope / "encoder" / "layers" / i;
      const SelfAttentionConfig attention{.hidden_size = c.hidden_size,
                                          .heads = c.num_attention_heads,
                                          .kv_heads = c.num_attention_heads,
                                          .head_dim = c.head_dim,
                                          .causal = false,
                                          .packing = SelfAttentionConfig::Packing::stacked,
                                          .names = {"Wqkv"},
                                          .output_name = "out_proj"};
      layers_.push_back({.attention_norm = LayerNorm(layer / "norm1", c.hidden_size, c.layer_norm_eps),
                         .attention = std::make_unique<SelfAttention>(layer / "attn", attention),
                         .mlp_norm = LayerNorm(layer / "norm2", c.hidden_size, c.layer_norm_eps),
                         .mlp = gated_mlp(layer / "mlp", {c.hidden_size, c.intermediate_size}, c.activation(),
                                          {.gate = "fc12", .up = "fc11", .down = "fc2"}),
                         .layout = DecoderBlock::Layout::post_norm});
    }
    // The body alone never has it.
    if (pooler == PoolerUse::required) pooler_.emplace(scope / "pooler" / "dense", c.hidden_size);
  }

  ModelOutput forward(const ModelInputs& in) const override {
    Tensor x = in.inputs_embeds.defined() ? in.inputs_embeds : words_(in.input_ids);
    if (types_)
      x = x + (*types_)(in.token_type_ids.defined() ? in.token_type_ids : Tensor::zeros({1, x.size(1)}, DType::i64));
    const Tensor positions = positions_or_consecutive(in);
    const ForwardContext context{.positions = positions,
                                 .key_mask = self_key_mask(in),
                                 .bias = {},
                                 .cache = nullptr,
                                 .rotations = {{&rotary_, rotary_.tables(positions_needed(positions))}}};
    ModelOutput out = run_layers(in, norm_(x), layers_.size(),
                                 [&](std::size_t i, const Tensor& h) { return layers_[i](h, context); });
    if (pooler_) out.pooler_output = (*pooler_)(out.last_hidden_state);
    return out;
  }
  const Embedding& input_embeddings() const override { return words_; }

 private:
  Embedding words_;
  std::optional<Embedding> types_;
  LayerNorm norm_;
  RotaryEmbedding rotary_;
  std::vector<DecoderBlock> layers_;
  std::optional<FirstTokenPooler> pooler_;
};

std::unique_ptr<Model> make_nomic_bert(const Json& json, std::string_view where, const Scope& root, Task task) {
  NomicBertConfig c;
  c.hidden_act = "silu";
  c.max_position_embeddings = 2048;
  read_encoder_config_into(c, json, where);
  if (c.hidden_act == "swiglu") c.hidden_act = "silu";
  if (c.head_dim == 0) c.head_dim = c.hidden_size / c.num_attention_heads;
  RopeConfig defaults;
  defaults.theta = c.rotary_emb_base;
  c.rope = RopeConfig::parse(json, where, defaults);
  const EncoderHeads heads{.body = "nomic_bert",
                           .lm = {.dense = "cls.predictions.transform.dense",
                                  .activation = c.activation(),
                                  .norm = "cls.predictions.transform.layer_norm",
                                  .eps = c.layer_norm_eps},
                           .lm_decoder = "cls.predictions.decoder",
                           .lm_bias = "cls.predictions.bias",
                           .lm_untied_bias = "cls.predictions.decoder.bias"};
  root.parameters().ignore({"cls.*", "*pooler.*", "*inv_freq"});
  return std::make_unique<EncoderModel>(
      CommonConfig::parse(json, where, true), root, task, heads,
      [&](const Scope& scope, PoolerUse pooler) { return std::make_unique<NomicBertBody>(scope, c, pooler); });
}

GgufArchitecture nomic_bert_gguf() {
  GgufArchitecture g = gguf_decoder("nomic-bert", "nomic_bert");
  extend_gguf_config(g, [](const GgufMetadata&, Json& c) { c.set("type_vocab_size", 0); });  // unless there is a table
  g.names = {{"embeddings.word_embeddings", "token_embd"},
             {"embeddings.token_type_embeddings", "token_types"},
             {"emb_ln", "token_embd_norm"},
             {"encoder.layers.#.attn.Wqkv", "blk.#.attn_qkv"},
             {"encoder.layers.#.attn.out_proj", "blk.#.attn_output"},
             {"encoder.layers.#.norm1", "blk.#.attn_output_norm"},
             {"encoder.layers.#.mlp.fc11", "blk.#.ffn_up"},
             {"encoder.layers.#.mlp.fc12", "blk.#.ffn_gate"},
             {"encoder.layers.#.mlp.fc2", "blk.#.ffn_down"},
             {"encoder.layers.#.norm2", "blk.#.layer_output_norm"}};
  return g;
}

}  // namespace

Architecture nomic_bert_architecture() {
  return {.model_type = "nomic_bert",
          .base_prefix = "nomic_bert",
          .classes = encoder_classes(
              "NomicBert", {Task::base, Task::masked_lm, Task::sequence_classification, Task::token_classification},
              make_nomic_bert),
          .gguf = nomic_bert_gguf()};
}

}  // namespace trustformers
