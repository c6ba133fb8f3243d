#include "deepseek_experts.h"

namespace trustformers {

MoeConfig deepseek_v3_moe(const MoeDecoderConfig& config, double scale, std::int64_t groups,
                          std::int64_t chosen_groups) {
  MoeConfig out{.router = config.router(), .experts = config.expert()};
  out.router.scoring = RouterConfig::Scoring::sigmoid;
  out.router.correction_bias = true;
  out.router.scale = scale;
  out.router.groups = groups;
  out.router.chosen_groups = chosen_groups;
  out.router.groups_by_two = true;
  return out;
}

std::unique_ptr<FeedForward> deepseek_experts(const Scope& mlp, const MoeDecoderConfig& config, const MoeConfig& moe,
                                              std::int64_t shared) {
  SharedExpert together;
  if (shared > 0)
    together.mlp =
        gated_mlp(mlp / "shared_experts", {config.hidden_size, shared * config.moe_intermediate_size, config.mlp_bias},
                  config.activation());
  return mixture_of_experts(mlp / "gate", mlp / "experts", moe, std::move(together));
}

void DeepseekExpertsConfig::finish(const Json& json, std::string_view where) {
  output_router_logits = false;  // there is no balancing loss
  MoeDecoderConfig::finish(json, where);
  mlp_bias = false;  // whatever the file says
  check(n_shared_experts > 0, ErrorCode::parse, "[config] ", where,
        ": \"n_shared_experts\" must be a positive number, got ", n_shared_experts);
}

std::unique_ptr<FeedForward> DeepseekExpertsConfig::feed_forward(const Scope& mlp, std::int64_t i) const {
  if (i < first_k_dense_replace) return gated_mlp(mlp, this->mlp(), activation());
  return deepseek_experts(mlp, *this, deepseek_v3_moe(*this, routed_scaling_factor, n_group, topk_group),
                          n_shared_experts);
}

}  // namespace trustformers
