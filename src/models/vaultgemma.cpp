// VaultGemma (Sinha et al. 2025): Gemma 2 trained with differential privacy, without its norms after the branches.
#include <cmath>

#include "decoder.h"

namespace trustformers {
namespace {

struct VaultGemmaConfig : DecoderConfig {
  double query_pre_attn_scalar = 256, final_logit_softcapping = 30, attn_logit_softcapping = 50;

  VaultGemmaConfig() {
    num_key_value_heads = 4;
    head_dim = 256;
    hidden_act = "gelu_pytorch_tanh";
    max_position_embeddings = 8192;
    sliding_window = 4096;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    window_fields(v);
    v("query_pre_attn_scalar", query_pre_attn_scalar);
    v.nullable("final_logit_softcapping", final_logit_softcapping);
    v.nullable("attn_logit_softcapping", attn_logit_softcapping);
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    check(query_pre_attn_scalar > 0, ErrorCode::parse, "[config] ", where,
          ": \"query_pre_attn_scalar\" must be positive, got ", query_pre_attn_scalar);
    alternate_layer_types(2);
    mlp_bias = false;  // whatever the file says
  }
  Norm norm(const Scope& scope) const { return RmsNorm(scope, hidden_size, norm_eps, NormGain::one_plus_weight); }
};

std::unique_ptr<Body> vaultgemma_body(const Scope& scope, const VaultGemmaConfig& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    SelfAttentionConfig attention = c.attention(i);
    attention.scale = 1 / std::sqrt(c.query_pre_attn_scalar);
    attention.softcap = c.attn_logit_softcapping;
    return {.attention_norm = c.norm(layer / "input_layernorm"),
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", attention),
            .mlp_norm = c.norm(layer / "pre_feedforward_layernorm"),
            .mlp = gated_mlp(layer / "mlp", c.mlp(), c.activation())};
  });
  body->embedding_scale = std::sqrt(static_cast<double>(c.hidden_size));
  body->scales_given_embeddings = false;
  body->norm = c.norm(scope / "norm");
  return body;
}

std::unique_ptr<Model> make_vaultgemma(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<VaultGemmaConfig>(json, where);
  return make_decoder(c, json, where, root, head, {.logits_softcap = c.final_logit_softcapping}, true,
                      [&](const Scope& scope) { return vaultgemma_body(scope, c); });
}

}  // namespace

Architecture vaultgemma_architecture() {
  return {.model_type = "vaultgemma",
          .base_prefix = "model",
          .classes = decoder_classes("VaultGemma", make_vaultgemma, {DecoderHead::none, DecoderHead::causal_lm})};
}

}  // namespace trustformers
