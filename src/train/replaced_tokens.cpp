#include "replaced_tokens.h"

#include <cmath>

#include "../base/rng.h"
#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"
#include "../ops/index/index.h"
#include "../ops/loss/loss.h"
#include "../ops/shape/shape_ops.h"

namespace trustformers {
namespace {

/// A draw from softmax(scores): the largest of scores plus Gumbel noise.
std::int64_t draw(std::span<const float> scores, const Philox& random, std::uint64_t first) {
  std::size_t best = 0;
  double most = -HUGE_VAL;
  for (std::size_t v = 0; v < scores.size(); ++v) {
    const double u = random.uniform_double(first + v);
    const double score = static_cast<double>(scores[v]) - std::log(-std::log(u > 0 ? u : 0x1p-54));
    if (score > most) {
      most = score;
      best = v;
    }
  }
  return static_cast<std::int64_t>(best);
}

}  // namespace

ReplacedTokens replace_masked_tokens(const Tensor& input_ids, const Tensor& mlm_labels, const Tensor& generator_logits,
                                     std::uint64_t seed) {
  check(generator_logits.rank() == 3 && mlm_labels.shape() == input_ids.shape() &&
            generator_logits.size(0) == input_ids.size(0) && generator_logits.size(1) == input_ids.size(1),
        ErrorCode::shape_mismatch, "[replace_masked_tokens] ", describe(generator_logits), " and ",
        describe(mlm_labels), " do not fit ", describe(input_ids));
  std::vector<std::int64_t> ids = input_ids.to_vector<std::int64_t>();
  const std::vector<std::int64_t> labels = mlm_labels.to_vector<std::int64_t>();
  const std::vector<float> logits = generator_logits.to_vector<float>();
  const auto width = static_cast<std::size_t>(generator_logits.size(2));
  std::vector<std::int64_t> replaced(ids.size(), 0);
  const Philox random(seed);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (labels[i] == -100) continue;
    ids[i] = draw(std::span(logits).subspan(i * width, width), random, i * width);
    replaced[i] = ids[i] != labels[i];
  }
  return {Tensor::from(ids, input_ids.shape()), Tensor::from(replaced, input_ids.shape())};
}

Tensor electra_loss(const Tensor& generator_logits, const Tensor& mlm_labels, const Tensor& discriminator_logits,
                    const Tensor& replaced, const Tensor& attention_mask, double discriminator_weight) {
  const Tensor generator =
      cross_entropy(reshape(generator_logits, {-1, generator_logits.size(-1)}), reshape(mlm_labels, {-1}));
  Tensor logits = reshape(discriminator_logits, {-1});
  Tensor targets = reshape(cast(replaced, logits.dtype()), {-1});
  if (attention_mask.defined()) {
    std::vector<std::int64_t> seen;
    const std::vector<std::uint8_t> mask = attention_mask.to_vector<std::uint8_t>();
    for (std::size_t i = 0; i < mask.size(); ++i)
      if (mask[i] != 0) seen.push_back(static_cast<std::int64_t>(i));
    const Tensor at = Tensor::from(seen, {static_cast<std::int64_t>(seen.size())});
    logits = gather(logits, 0, at);
    targets = gather(targets, 0, at);
  }
  return generator + binary_cross_entropy_with_logits(logits, targets) * discriminator_weight;
}

}  // namespace trustformers
