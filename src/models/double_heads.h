// Two heads on one body: a language model, and a score for each of several continuations (Radford et al. 2018).
#pragma once

#include "decoder.h"

namespace trustformers {

/// input_ids [B, C, L] (or [B, L]) -> logits [B, C, L, V] and, from the state at mc_token_ids [B, C] or else at the
/// last position, mc_logits [B, C]. With `labels` [B, C, L] there is a loss, with `mc_labels` [B] an mc_loss. Arguments
/// are those of make_decoder.
std::unique_ptr<Model> make_double_heads(const DecoderConfig& config, const Json& json, std::string_view where,
                                         const Scope& root, std::string_view body_name, const MakeBody& make_body);

}  // namespace trustformers
