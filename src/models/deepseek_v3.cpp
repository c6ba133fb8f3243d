// DeepSeek-V3 (2024): V2's layers, with experts chosen by sigmoids that a learned bias balances.
#include "deepseek.h"
#include "deepseek_experts.h"

namespace trustformers {
namespace {

struct DeepseekV3Config : DeepseekConfig {
  DeepseekV3Config() {
    n_shared_experts = 1;
    n_group = 8;
    topk_group = 4;
    norm_topk_prob = true;
    routed_scaling_factor = 2.5;
    first_k_dense_replace = 3;
    rope_interleaved = true;
    max_position_embeddings = 4096;
  }
  void fields(auto& v) {
    DeepseekConfig::fields(v);
    v("rope_interleave", rope_interleaved);
  }
  void finish(const Json& json, std::string_view where) {
    DeepseekConfig::finish(json, where);
    check(scoring_func.empty() || scoring_func == "sigmoid", ErrorCode::unsupported, "[config] ", where,
          ": \"scoring_func\" must be \"sigmoid\", got \"", scoring_func, "\"");
  }
  MoeConfig moe() const { return deepseek_v3_moe(*this, routed_scaling_factor, *n_group, *topk_group); }
};

std::unique_ptr<Model> make_deepseek_v3(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<DeepseekV3Config>(json, where);
  // Layers beyond the last predict further tokens during training.
  root.parameters().ignore({"*layers." + std::to_string(c.num_hidden_layers) + ".*"});
  return make_decoder(c, json, where, root, head, {}, false,
                      [&](const Scope& scope) { return deepseek_body(scope, c, c.moe()); });
}

}  // namespace

Architecture deepseek_v3_architecture() {
  return {.model_type = "deepseek_v3",
          .base_prefix = "model",
          .classes = decoder_classes("DeepseekV3", make_deepseek_v3,
                                     {DecoderHead::none, DecoderHead::causal_lm, DecoderHead::sequence_classification,
                                      DecoderHead::token_classification}),
          .gguf = deepseek_gguf()};
}

}  // namespace trustformers
