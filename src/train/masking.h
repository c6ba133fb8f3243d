// Masked language modelling (Devlin et al. 2019): which tokens a batch hides and what is to be predicted.
#pragma once

#include <cstdint>
#include <vector>

#include "../tensor/tensor.h"

namespace trustformers {

struct MaskingOptions {
  double probability = 0.15;  // that a token is to be predicted
  double mask_share = 0.8;    // of those: shown as mask_token_id
  double random_share = 0.1;  // of those: shown as any token; the rest is shown as it is
  std::int64_t mask_token_id = 0;
  std::int64_t vocab_size = 0;
  std::vector<std::int64_t> special_token_ids = {};  // never to be predicted
};

struct MaskedTokens {
  Tensor input_ids;  // [B, L] i64
  Tensor labels;     // [B, L] i64: the token where it is to be predicted, else -100
};
/// input_ids [B, L]; attention_mask [B, L] or undefined: padding is never predicted. Element i depends on (seed, i)
/// alone. Errors: invalid_argument for shares outside [0, 1].
MaskedTokens mask_tokens(const Tensor& input_ids, const Tensor& attention_mask, const MaskingOptions& options,
                         std::uint64_t seed);

}  // namespace trustformers
