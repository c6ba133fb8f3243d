// ModernBERT (Warner et al. 2024): pre-norm encoder with rotary positions, gated feed-forward, and local attention in
// most layers.
#include <limits>

#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"
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

/// Local attention whose window and padding are numbers to add, so large that a position near no token looks at all
/// positions alike, as in the reference. Only losses over all positions of a text tell this from zeros.
class PaddedLocalAttention final : public TokenMixer {
 public:
  PaddedLocalAttention(const Scope& scope, SelfAttentionConfig config)
      : reach_(config.window), attention_(scope, [&] {
          config.window = 0;
          return config;
        }()) {}

  Tensor operator()(const Tensor& x, const ForwardContext& context) const override {
    const std::int64_t length = x.size(1);
    const Tensor at = consecutive_positions(0, length);
    Tensor seen = unsqueeze(less(abs(transpose(at, 0, 1) - at), static_cast<double>(reach_)), 0);
    if (context.key_mask.defined()) seen = logical_and(seen, unsqueeze(context.key_mask, 1));
    ForwardContext local = context;
    local.key_mask = Tensor();
    local.bias = unsqueeze(where(seen, Tensor::zeros({}), Tensor::full({}, std::numeric_limits<float>::lowest())), 1);
    return attention_(x, local);
  }

 private:
  std::int64_t reach_;
  SelfAttention attention_;
};

std::unique_ptr<Body> body(const Scope& scope, const ModernBertConfig& c, bool padding_matters) {
  const auto norm = [&](const Scope& at) { return LayerNorm(at, c.hidden_size, c.norm_eps, c.norm_bias); };
  const std::int64_t head_dim = c.hidden_size / c.num_attention_heads;
  auto out = std::make_unique<Decoder>();
  out->tokens = Embedding(scope / "embeddings" / "tok_embeddings", c.vocab_size, c.hidden_size);
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
    std::unique_ptr<TokenMixer> mixer;
    if (padding_matters && c.is_local(i))
      mixer = std::make_unique<PaddedLocalAttention>(layer / "attn", attention);
    else
      mixer = std::make_unique<SelfAttention>(layer / "attn", attention);
    out->layers.push_back({.attention_norm = i == 0 ? Norm() : Norm(norm(layer / "attn_norm")),
                           .attention = std::move(mixer),
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
  return std::make_unique<EncoderModel>(std::move(common), root, task, heads, [&](const Scope& scope, PoolerUse) {
    return body(scope, c, task == Task::question_answering);
  });
}

}  // namespace

Architecture modernbert_architecture() {
  return {.model_type = "modernbert",
          .base_prefix = "model",
          .classes = encoder_classes("ModernBert",
                                     {Task::base, Task::masked_lm, Task::sequence_classification,
                                      Task::token_classification, Task::question_answering, Task::multiple_choice},
                                     make_modernbert),
          .gguf = {}};
}

}  // namespace trustformers
