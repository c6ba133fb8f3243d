// ModernBERT (Warner et al. 2024): pre-norm encoder with rotary positions, gated feed-forward, and local attention in
// most layers.
#include "decoder.h"
#include "encoder.h"
#include "encoder_layers.h"

namespace trustformers {
namespace {

struct ModernBertConfig : EncoderConfig {
  double norm_eps = 1e-5;
  bool norm_bias = false, attention_bias = false, mlp_bias = false, classifier_bias = false, decoder_bias = true;
  std::string classifier_activation = "gelu", classifier_pooling = "cls";
  std::int64_t local_attention = 128, global_attn_every_n_layers = 3;
  std::vector<std::string> layer_types;
  bool sparse_prediction = false;
  std::int64_t sparse_pred_ignore_index = -100;
  RopeConfig global_rope, local_rope;

  ModernBertConfig() { pad_token_id = 50283; }
  void fields(auto& v) {
    EncoderConfig::fields(v);
    v("hidden_activation", hidden_act);
    v("norm_eps", norm_eps);
    v("norm_bias", norm_bias);
    v("attention_bias", attention_bias);
    v("mlp_bias", mlp_bias);
    v("classifier_bias", classifier_bias);
    v("decoder_bias", decoder_bias);
    v("classifier_activation", classifier_activation);
    v("classifier_pooling", classifier_pooling);
    v("local_attention", local_attention);
    v("global_attn_every_n_layers", global_attn_every_n_layers);
    v("layer_types", layer_types);
    v("sparse_prediction", sparse_prediction);
    v("sparse_pred_ignore_index", sparse_pred_ignore_index);
  }
  void validate(std::string_view where) const {
    EncoderConfig::validate(where);
    check(hidden_size / num_attention_heads % 2 == 0, ErrorCode::parse, "[config] ", where,
          ": \"num_attention_heads\" must leave heads of an even width, got ", hidden_size / num_attention_heads);
    check_count(local_attention, 1, "local_attention", where);
    check_count(global_attn_every_n_layers, 1, "global_attn_every_n_layers", where);
    check(layer_types.empty() || layer_types.size() == static_cast<std::size_t>(num_hidden_layers), ErrorCode::parse,
          "[config] ", where, ": \"layer_types\" must name ", num_hidden_layers, " layers, got ", layer_types.size());
    for (const std::string& type : layer_types)
      check(type == "full_attention" || type == "sliding_attention", ErrorCode::unsupported, "[config] ", where,
            ": \"layer_types\" holds \"", type, "\", not full_attention or sliding_attention");
    check(classifier_pooling == "cls" || classifier_pooling == "mean", ErrorCode::unsupported, "[config] ", where,
          ": \"classifier_pooling\" must be cls or mean, got \"", classifier_pooling, "\"");
  }
  bool is_local(std::int64_t layer) const {
    if (layer_types.empty()) return layer % global_attn_every_n_layers != 0;
    return layer_types[static_cast<std::size_t>(layer)] == "sliding_attention";
  }
};

/// The rope of one layer type: its part of a nested "rope_parameters", or the base under a key of its own.
RopeConfig rope_of(const Json& json, std::string_view where, std::string_view layer_type, std::string_view theta_key,
                   double default_theta) {
  RopeConfig defaults;
  defaults.theta = default_theta;
  Json flat = Json::object();
  if (const Json* theta = json.find(theta_key)) flat.set("rope_theta", *theta);
  if (const Json* scaling = json.find("rope_scaling")) flat.set("rope_parameters", *scaling);
  if (const Json* nested = json.find("rope_parameters"); nested && nested->is_object())
    if (const Json* own = nested->find(layer_type)) flat.set("rope_parameters", *own);
  return RopeConfig::parse(flat, where, defaults);
}

std::unique_ptr<Body> body(const Scope& scope, const ModernBertConfig& c) {
  const auto norm = [&](const Scope& at) { return LayerNorm(at, c.hidden_size, c.norm_eps, c.norm_bias); };
  const std::int64_t head_dim = c.hidden_size / c.num_attention_heads;
  auto out = std::make_unique<Decoder>();
  out->tokens = Embedding(scope / "embeddings" / "tok_embeddings", c.vocab_size, c.hidden_size, c.pad_token_id);
  out->embedding_norm = norm(scope / "embeddings" / "norm");
  out->rotations = {RotaryEmbedding(c.global_rope, head_dim, c.max_position_embeddings),
                    RotaryEmbedding(c.local_rope, head_dim, c.max_position_embeddings)};
  for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) {
    const Scope layer = scope / "layers" / i;
    const SelfAttentionConfig attention{.hidden_size = c.hidden_size,
                                        .heads = c.num_attention_heads,
                                        .kv_heads = c.num_attention_heads,
                                        .head_dim = head_dim,
                                        .bias = c.attention_bias,
                                        .output_bias = c.attention_bias,
                                        .causal = false,
                                        .packing = SelfAttentionConfig::Packing::stacked,
                                        .names = {"Wqkv"},
                                        .output_name = "Wo",
                                        .rotation = c.is_local(i) ? 1 : 0,
                                        // "local_attention" is the whole window, both sides of the query
                                        .window = c.is_local(i) ? c.local_attention / 2 + 1 : 0};
    out->layers.push_back({.attention_norm = i == 0 ? Norm() : Norm(norm(layer / "attn_norm")),
                           .attention = std::make_unique<SelfAttention>(layer / "attn", attention),
                           .mlp_norm = norm(layer / "mlp_norm"),
                           .mlp = fused_gated_mlp(layer / "mlp", {c.hidden_size, c.intermediate_size, c.mlp_bias},
                                                  c.activation(), "Wi", "Wo")});
  }
  out->norm = norm(scope / "final_norm");
  return out;
}

std::unique_ptr<Model> make_modernbert(const Json& json, std::string_view where, const Scope& root, Task task) {
  auto c = read_encoder_config<ModernBertConfig>(json, where);
  c.global_rope = rope_of(json, where, "full_attention", "global_rope_theta", 160000);
  c.local_rope = rope_of(json, where, "sliding_attention", "local_rope_theta", 10000);
  CommonConfig common = CommonConfig::parse(json, where, true);
  const TransformSpec head{.dense = "head.dense",
                           .activation = ActivationFunction::parse(c.classifier_activation, "classifier_activation"),
                           .norm = "head.norm",
                           .dense_bias = c.classifier_bias,
                           .norm_bias = c.norm_bias,
                           .eps = c.norm_eps};
  const std::string_view decoder_bias = c.decoder_bias ? "decoder.bias" : "";
  const bool mean = c.classifier_pooling == "mean";
  EncoderHeads heads{.body = "model",
                     .lm = head,
                     .lm_decoder = "decoder",
                     .lm_bias = decoder_bias,
                     .lm_untied_bias = decoder_bias,
                     .sentence = mean ? SentenceVector::mean_seen : SentenceVector::first,
                     .sentence_transform = head,
                     .choice = mean ? SentenceVector::mean_seen : SentenceVector::first_seen,
                     .choice_transform = head,
                     .token_transform = head,
                     .question_answering = "classifier"};
  if (c.sparse_prediction) heads.sparse_ignore_index = c.sparse_pred_ignore_index;
  root.parameters().ignore({"head.*", "decoder.*", "classifier.*"});
  return std::make_unique<EncoderModel>(std::move(common), root, task, heads,
                                        [&](const Scope& scope, PoolerUse) { return body(scope, c); });
}

GgufArchitecture modernbert_gguf() {
  GgufArchitecture g = gguf_decoder("modern-bert", "modernbert");
  g.names = {{"embeddings.tok_embeddings", "token_embd"},
             {"embeddings.norm", "token_embd_norm"},
             {"final_norm", "output_norm"},
             {"layers.#.attn_norm", "blk.#.attn_norm"},
             {"layers.#.attn.Wqkv", "blk.#.attn_qkv"},
             {"layers.#.attn.Wo", "blk.#.attn_output"},
             {"layers.#.mlp_norm", "blk.#.ffn_norm"},
             {"layers.#.mlp.Wi", "blk.#.ffn_up"},
             {"layers.#.mlp.Wo", "blk.#.ffn_down"}};
  extend_gguf_config(g, [](const GgufMetadata& m, Json& c) {
    set_gguf_windows(m, "modern-bert", c);
    c.set("local_attention", m.get_int("modern-bert.attention.sliding_window", 128));
    c.set("norm_eps", m.get_double("modern-bert.attention.layer_norm_epsilon", 1e-5));
    const auto turning_by = [&](const std::string& key, double base) {
      Json one = Json::object();
      one.set("rope_theta", m.get_double("modern-bert.rope." + key, base));
      return one;
    };
    Json ropes = Json::object();
    ropes.set("full_attention", turning_by("freq_base", 160000));
    ropes.set("sliding_attention", turning_by("freq_base_swa", 10000));
    c.set("rope_parameters", std::move(ropes));
  });
  return g;
}

}  // namespace

Architecture modernbert_architecture() {
  return {.model_type = "modernbert",
          .base_prefix = "model",
          .classes = encoder_classes("ModernBert",
                                     {Task::base, Task::masked_lm, Task::sequence_classification,
                                      Task::token_classification, Task::question_answering, Task::multiple_choice},
                                     make_modernbert),
          .gguf = modernbert_gguf()};
}

}  // namespace trustformers
