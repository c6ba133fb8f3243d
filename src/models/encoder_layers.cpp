#include "encoder_layers.h"

#include <cmath>

#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"

namespace trustformers {

void check_count(std::int64_t count, std::int64_t least, std::string_view key, std::string_view where) {
  check(count >= least && count < (std::int64_t{1} << 31), ErrorCode::parse, "[config] ", where, ": \"", key,
        "\" must lie between ", least, " and 2^31, got ", count);
}

void EncoderConfig::validate(std::string_view where) const {
  check(hidden_size % num_attention_heads == 0, ErrorCode::parse, "[config] ", where, ": \"", spelled("hidden_size"),
        "\" ", hidden_size, " does not split into \"", spelled("num_attention_heads"), "\" ", num_attention_heads);
  check_count(max_position_embeddings, 1, spelled("max_position_embeddings"), where);
  check_count(type_vocab_size, 0, "type_vocab_size", where);
}

double EncoderConfig::attention_scale() const {
  return 1 / std::sqrt(static_cast<double>(hidden_size / num_attention_heads));
}

EncoderEmbeddings::EncoderEmbeddings(const Scope& scope, const Sizes& sizes)
    : words_(scope / "word_embeddings", sizes.vocab, sizes.width, sizes.padding) {
  if (sizes.positions > 0)
    positions_.emplace(scope / "position_embeddings", sizes.positions, sizes.width,
                       sizes.pads_positions ? std::optional(sizes.padding) : std::nullopt);
  if (sizes.types > 0) types_.emplace(scope / "token_type_embeddings", sizes.types, sizes.width);
  norm_ = LayerNorm(scope / "LayerNorm", sizes.width, sizes.eps);
}

Tensor EncoderEmbeddings::operator()(const ModelInputs& in, const Tensor& positions) const {
  Tensor x = in.inputs_embeds.defined() ? in.inputs_embeds : words_(in.input_ids);
  if (types_)
    x = x + (*types_)(in.token_type_ids.defined() ? in.token_type_ids : Tensor::zeros({1, x.size(1)}, DType::i64));
  if (positions_) x = x + (*positions_)(positions);
  return norm_(x);
}

Tensor positions_or_consecutive(const ModelInputs& in) {
  if (in.position_ids.defined()) return in.position_ids;
  const Tensor& given = in.input_ids.defined() ? in.input_ids : in.inputs_embeds;
  return next_positions(in.cache, given.size(1));
}

EncoderAttention::EncoderAttention(const Scope& scope, const EncoderConfig& c, const AttentionNames& names, bool causal)
    : heads_(c.num_attention_heads),
      query_(scope / names.query, c.hidden_size, c.hidden_size),
      key_(scope / names.key, c.hidden_size, c.hidden_size),
      value_(scope / names.value, c.hidden_size, c.hidden_size),
      output_(scope / names.output, c.hidden_size, c.hidden_size),
      norm_(scope / names.norm, c.hidden_size, c.layer_norm_eps),
      mask_{.scale = c.attention_scale(), .causal = causal} {}

Tensor EncoderAttention::operator()(const Tensor& x, const Tensor& key_mask, const Tensor& bias, AttentionCache* cache,
                                    std::size_t layer) const {
  const AttentionCache::KeysValues own = keys_values(x);
  const Tensor q = split_heads(query_(x), heads_);
  return finish(x, cache ? cache->attend(layer, q, own.keys, own.values, mask_, key_mask, bias, Tensor())
                         : attention(q, own.keys, own.values, mask_, key_mask, bias));
}

Tensor EncoderAttention::cross(const Tensor& x, const Tensor& states, const Tensor& key_mask, AttentionCache* cache,
                               std::size_t layer) const {
  return finish(
      x,
      attend_fixed(cache, layer, split_heads(query_(x), heads_), [&] { return keys_values(states); }, mask_, key_mask));
}

AttentionCache::KeysValues EncoderAttention::keys_values(const Tensor& source) const {
  return {split_heads(key_(source), heads_), split_heads(value_(source), heads_)};
}

Tensor EncoderAttention::finish(const Tensor& x, const Tensor& attended) const {
  return norm_(output_(merge_heads(attended)) + x);
}

EncoderFeedForward::EncoderFeedForward(const Scope& scope, const EncoderConfig& c, const FeedForwardNames& names)
    : up_(scope / names.up, c.hidden_size, c.intermediate_size),
      down_(scope / names.down, c.intermediate_size, c.hidden_size),
      norm_(scope / names.norm, c.hidden_size, c.layer_norm_eps),
      act_(c.activation()) {}

Tensor EncoderFeedForward::operator()(const Tensor& x) const { return norm_(down_(act_(up_(x))) + x); }

Tensor FirstTokenPooler::operator()(const Tensor& x) const { return tanh(dense_(contiguous(select(x, 1, 0)))); }

}  // namespace trustformers
