// ELECTRA's pretraining (Clark et al. 2020): a generator fills masked tokens, a discriminator finds the wrong ones.
#pragma once

#include <cstdint>

#include "../tensor/tensor.h"

namespace trustformers {

struct ReplacedTokens {
  Tensor input_ids;  // [B, L] i64: what the discriminator reads
  Tensor labels;     // [B, L] i64: 1 where the token is not the original one
};
/// Draws a token from softmax(generator_logits) wherever mlm_labels [B, L] is not -100; that label is the original
/// token. input_ids [B, L] is what the generator read, generator_logits [B, L, V]. No gradient flows through the draw.
ReplacedTokens replace_masked_tokens(const Tensor& input_ids, const Tensor& mlm_labels, const Tensor& generator_logits,
                                     std::uint64_t seed);

/// The generator's cross entropy over the labelled positions plus `discriminator_weight` times the discriminator's
/// binary cross entropy over all positions that attention_mask [B, L] (undefined: all) shows.
/// discriminator_logits [B, L], replaced [B, L] -> scalar.
Tensor electra_loss(const Tensor& generator_logits, const Tensor& mlm_labels, const Tensor& discriminator_logits,
                    const Tensor& replaced, const Tensor& attention_mask, double discriminator_weight = 50);

}  // namespace trustformers
