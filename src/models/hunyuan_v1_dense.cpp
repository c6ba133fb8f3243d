// HunYuan dense (Tencent 2025): LLaMA with an RMSNorm on each head's queries and keys after they are turned.
#include <cmath>

#include "decoder.h"

namespace trustformers {
namespace {

struct HunyuanConfig : DecoderConfig {
  HunyuanConfig() { norm_eps = 1e-5; }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    mlp_bias = false;  // whatever the file says
    stretch(json);
  }

 private:
  /// A "dynamic" rope with "alpha" is not dynamic: its base is stretched once.
  void stretch(const Json& json) {
    const Json* scaling = json.find("rope_parameters");
    if (!scaling || scaling->is_null()) scaling = json.find("rope_scaling");
    const Json* alpha = scaling && scaling->is_object() ? scaling->find("alpha") : nullptr;
    if (rope.type != "dynamic" || !alpha || alpha->is_null() || alpha->as_double("alpha") == 0) return;
    rope.type = "default";
    rope.theta *=
        std::pow(alpha->as_double("alpha"), static_cast<double>(head_dim) / static_cast<double>(head_dim - 2));
  }
};

std::unique_ptr<Body> hunyuan_body(const Scope& scope, const HunyuanConfig& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) {
    SelfAttentionConfig attention = c.attention(i);
    attention.q_norm = RmsNorm(layer / "self_attn" / "query_layernorm", c.head_dim, c.norm_eps);
    attention.k_norm = RmsNorm(layer / "self_attn" / "key_layernorm", c.head_dim, c.norm_eps);
    attention.norm_after_rotation = true;
    return llama_block(layer, c, attention);
  });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_hunyuan(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<HunyuanConfig>(json, where);
  return make_decoder(c, json, where, root, head, {}, false,
                      [&](const Scope& scope) { return hunyuan_body(scope, c); });
}

}  // namespace

Architecture hunyuan_v1_dense_architecture() {
  return {
      .model_type = "hunyuan_v1_dense",
      .base_prefix = "model",
      .classes = decoder_classes("HunYuanDenseV1", make_hunyuan,
                                 {DecoderHead::none, DecoderHead::causal_lm, DecoderHead::sequence_classification})};
}

}  // namespace trustformers
