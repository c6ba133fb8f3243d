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

}  // namespace

Architecture deepseek_v2_architecture() {
  return {.model_type = "deepseek_v2",
          .base_prefix = "model",
          .classes = decoder_classes("DeepseekV2", make_deepseek_v2,
                                     {DecoderHead::none, DecoderHead::causal_lm, DecoderHead::sequence_classification}),
          .gguf = {}};
}

}  // namespace trustformers
