#include "masking.h"

#include <algorithm>

#include "../base/rng.h"

namespace trustformers {

MaskedTokens mask_tokens(const Tensor& input_ids, const Tensor& attention_mask, const MaskingOptions& o,
                         std::uint64_t seed) {
  const auto share = [](double value) { return value >= 0 && value <= 1; };
  check(share(o.probability) && share(o.mask_share) && share(o.random_share) && o.mask_share + o.random_share <= 1,
        ErrorCode::invalid_argument, "[mask_tokens] shares must lie in [0, 1] and not add up to more than 1, got ",
        o.probability, ", ", o.mask_share, ", ", o.random_share);
  check(o.vocab_size > 0, ErrorCode::invalid_argument, "[mask_tokens] vocab_size must be positive, got ", o.vocab_size);
  std::vector<std::int64_t> ids = input_ids.to_vector<std::int64_t>();
  std::vector<std::int64_t> labels(ids.size(), -100);
  std::vector<std::uint8_t> seen(ids.size(), 1);
  if (attention_mask.defined()) {
    check(attention_mask.shape() == input_ids.shape(), ErrorCode::shape_mismatch,
          "[mask_tokens] attention_mask must be like input_ids ", describe(input_ids), ", got ",
          describe(attention_mask));
    seen = attention_mask.to_vector<std::uint8_t>();
  }
  const Philox chosen(seed, 0), shown(seed, 1), token(seed, 2);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const bool special =
        std::find(o.special_token_ids.begin(), o.special_token_ids.end(), ids[i]) != o.special_token_ids.end();
    if (seen[i] == 0 || special || chosen.uniform_double(i) >= o.probability) continue;
    labels[i] = ids[i];
    const double how = shown.uniform_double(i);
    if (how < o.mask_share)
      ids[i] = o.mask_token_id;
    else if (how < o.mask_share + o.random_share)
      ids[i] = static_cast<std::int64_t>(token.uniform_double(i) * static_cast<double>(o.vocab_size));
  }
  return {Tensor::from(ids, input_ids.shape()), Tensor::from(labels, input_ids.shape())};
}

}  // namespace trustformers
