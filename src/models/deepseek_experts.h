// The feed-forward layers of DeepSeek-V3 (2024), which others put beside attention of their own: dense layers first,
// then mixtures whose experts are chosen by groups, with sigmoids that a learned bias balances, beside shared experts.
#pragma once

#include "moe_decoder.h"

namespace trustformers {

/// How V3's routers choose: the `chosen_groups` best of `groups`, then experts among these, weighed by `scale`.
MoeConfig deepseek_v3_moe(const MoeDecoderConfig& config, double scale, std::int64_t groups,
                          std::int64_t chosen_groups);

/// The mixture below `mlp`, beside `shared` experts (0: none) that run as one.
std::unique_ptr<FeedForward> deepseek_experts(const Scope& mlp, const MoeDecoderConfig& config, const MoeConfig& moe,
                                              std::int64_t shared);

struct DeepseekExpertsConfig : MoeDecoderConfig {
  std::int64_t n_shared_experts = 1, n_group = 1, topk_group = 1, first_k_dense_replace = 0;
  double routed_scaling_factor = 1;

  void fields(auto& v) {
    MoeDecoderConfig::fields(v);
    v("n_shared_experts", n_shared_experts);
    v("n_group", n_group);
    v("topk_group", topk_group);
    v("first_k_dense_replace", first_k_dense_replace);
    v("routed_scaling_factor", routed_scaling_factor);
  }
  void finish(const Json& json, std::string_view where);

  /// The feed-forward of layer `i`.
  std::unique_ptr<FeedForward> feed_forward(const Scope& mlp, std::int64_t i) const;
};

}  // namespace trustformers
