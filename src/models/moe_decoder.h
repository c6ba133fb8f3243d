// What the configs of decoders with mixtures of experts share.
#pragma once

#include <algorithm>

#include "../nn/moe.h"
#include "decoder.h"

namespace trustformers {

struct MoeDecoderConfig : DecoderConfig {
  std::int64_t experts = 0, chosen = 0;  // all, and those that compute a token
  bool norm_topk_prob = false;
  bool output_router_logits = false;
  double router_aux_loss_coef = 0.001;
  // Which layers have experts, and how wide these are where that is not intermediate_size.
  std::int64_t moe_intermediate_size = 0, decoder_sparse_step = 1;
  std::vector<std::int64_t> mlp_only_layers;

  void fields(auto& v) {
    DecoderConfig::fields(v);
    window_fields(v);
    v.size("num_local_experts", experts, {"num_experts", "n_routed_experts"});
    v.size("num_experts_per_tok", chosen, {"experts_per_token"});
    v("norm_topk_prob", norm_topk_prob);
    v("output_router_logits", output_router_logits);
    v("router_aux_loss_coef", router_aux_loss_coef);
    v("moe_intermediate_size", moe_intermediate_size);
    v("decoder_sparse_step", decoder_sparse_step);
    v("mlp_only_layers", mlp_only_layers);
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    if (moe_intermediate_size == 0) moe_intermediate_size = intermediate_size;
    check(moe_intermediate_size > 0, ErrorCode::parse, "[config] ", where,
          ": \"moe_intermediate_size\" must be a positive number, got ", moe_intermediate_size);
    check(decoder_sparse_step > 0, ErrorCode::parse, "[config] ", where,
          ": \"decoder_sparse_step\" must be a positive number, got ", decoder_sparse_step);
    check(chosen <= experts, ErrorCode::parse, "[config] ", where, ": \"", spelled("num_experts_per_tok"), "\" is ",
          chosen, ", \"", spelled("num_local_experts"), "\" ", experts);
  }

  /// True when layer `i` has experts (Qwen's rule).
  bool sparse(std::int64_t i) const {
    return std::find(mlp_only_layers.begin(), mlp_only_layers.end(), i) == mlp_only_layers.end() &&
           (i + 1) % decoder_sparse_step == 0;
  }
  RouterConfig router() const {
    return {.hidden_size = hidden_size, .experts = experts, .chosen = chosen, .renormalise = norm_topk_prob};
  }
  ExpertsConfig expert() const { return {.intermediate_size = moe_intermediate_size, .activation = activation()}; }
  DecoderHeads::RouterLoss router_loss() const {
    return {.chosen = chosen, .weight = router_aux_loss_coef, .always = output_router_logits};
  }
};

}  // namespace trustformers
