// DeepSeek-V2 (2024): latent attention, and experts chosen by softmax, of all groups or of the best ones.
#include "deepseek.h"

namespace trustformers {
namespace {

struct DeepseekV2Config : DeepseekConfig {
  std::string topk_method = "greedy";

  DeepseekV2Config() { rope_interleaved = true; }
  void fields(auto& v) {
    DeepseekConfig::fields(v);
    v("topk_method", topk_method);
  }
  void finish(const Json& json, std::string_view where) {
    DeepseekConfig::finish(json, where);
    check(topk_method == "greedy" || topk_method == "group_limited_greedy", ErrorCode::unsupported, "[config] ", where,
          ": no \"topk_method\" is called \"", topk_method, "\"");
    check(topk_method == "greedy" || (n_group && topk_group), ErrorCode::parse, "[config] ", where,
          ": \"group_limited_greedy\" needs \"n_group\" and \"topk_group\"");
    check(scoring_func.empty() || scoring_func == "softmax", ErrorCode::unsupported, "[config] ", where,
          ": \"scoring_func\" must be \"softmax\", got \"", scoring_func, "\"");
  }
  MoeConfig moe() const {
    MoeConfig out{.router = router(), .experts = expert()};
    out.router.renormalise = false;  // transformers does not read norm_topk_prob here
    out.router.scale = routed_scaling_factor;
    if (topk_method == "group_limited_greedy") {
      out.router.groups = *n_group;
      out.router.chosen_groups = *topk_group;
    }
    return out;
  }
};

std::unique_ptr<Model> make_deepseek_v2(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<DeepseekV2Config>(json, where);
  return make_decoder(c, json, where, root, head, {}, false,
                      [&](const Scope& scope) { return deepseek_body(scope, c, c.moe()); });
}

/// llama.cpp has one name for V2 and V3; sigmoids tell V3.
Json deepseek_gguf_config(const GgufMetadata& m) {
  constexpr std::int64_t sigmoid = 2;
  const bool v3 = m.get_int("deepseek2.expert_gating_func", 1) == sigmoid;
  Json c = gguf_decoder_config(m, "deepseek2", v3 ? "deepseek_v3" : "deepseek_v2");
  c.set("num_key_value_heads", c.at("num_attention_heads"));
  const std::int64_t rope = m.get_int("deepseek2.rope.dimension_count");
  // Older files tell the widths of expanded heads, newer ones beside them those of the latent space.
  const std::string_view newer = m.contains("deepseek2.attention.key_length_mla") ? "_mla" : "";
  c.set("qk_rope_head_dim", rope);
  c.set("qk_nope_head_dim", m.get_int(str("deepseek2.attention.key_length", newer)) - rope);
  c.set("v_head_dim", m.get_int(str("deepseek2.attention.value_length", newer)));
  c.set("kv_lora_rank", m.get_int("deepseek2.attention.kv_lora_rank"));
  c.set("q_lora_rank",
        m.contains("deepseek2.attention.q_lora_rank") ? Json(m.get_int("deepseek2.attention.q_lora_rank")) : Json());
  c.set("first_k_dense_replace", m.get_int("deepseek2.leading_dense_block_count", 0));
  c.set("n_shared_experts", m.get_int("deepseek2.expert_shared_count", 0));
  c.set("routed_scaling_factor", m.get_double("deepseek2.expert_weights_scale", 1));
  c.set("norm_topk_prob", m.get_bool("deepseek2.expert_weights_norm", v3));
  const bool largest = m.get_int("deepseek2.expert_count") == 256;  // V3, of which early files do not tell the groups
  c.set("n_group", m.get_int("deepseek2.expert_group_count", largest ? 8 : 1));
  c.set("topk_group", m.get_int("deepseek2.expert_group_used_count", largest ? 4 : 1));
  if (m.get_int("deepseek2.expert_group_count", 1) > 1) c.set("topk_method", "group_limited_greedy");
  if (const double log_multiplier = m.get_double("deepseek2.rope.scaling.yarn_log_multiplier", 0);
      log_multiplier != 0) {
    Json scaling = c.at("rope_parameters");
    scaling.set("mscale", 10 * log_multiplier);
    scaling.set("mscale_all_dim", 10 * log_multiplier);
    c.set("rope_parameters", std::move(scaling));
  }
  return c;
}

GgufArchitecture deepseek_v2_gguf() {
  GgufArchitecture g = deepseek_gguf();
  g.config = deepseek_gguf_config;
  return g;
}

}  // namespace

Architecture deepseek_v2_architecture() {
  return {.model_type = "deepseek_v2",
          .base_prefix = "model",
          .classes = decoder_classes("DeepseekV2", make_deepseek_v2,
                                     {DecoderHead::none, DecoderHead::causal_lm, DecoderHead::sequence_classification}),
          .gguf = deepseek_v2_gguf()};
}

}  // namespace trustformers
