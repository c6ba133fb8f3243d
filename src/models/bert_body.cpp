#include "bert_body.h"

namespace trustformers {
namespace {

constexpr AttentionNames self_names{"attention.self.query", "attention.self.key", "attention.self.value",
                                    "attention.output.dense", "attention.output.LayerNorm"};
constexpr AttentionNames cross_names{"crossattention.self.query", "crossattention.self.key",
                                     "crossattention.self.value", "crossattention.output.dense",
                                     "crossattention.output.LayerNorm"};

}  // namespace

void BertConfig::validate(std::string_view where) const {
  EncoderConfig::validate(where);
  check(position_embedding_type == "absolute", ErrorCode::unsupported, "[config] ", where,
        ": \"position_embedding_type\" \"", position_embedding_type, "\" is not supported, only \"absolute\"");
  check(!add_cross_attention || is_decoder, ErrorCode::parse, "[config] ", where,
        ": \"add_cross_attention\" needs \"is_decoder\"");
  check_count(embedding_size, 0, "embedding_size", where);
  check_count(pad_token_id, 0, "pad_token_id", where);
}

BertLayer::BertLayer(const Scope& scope, const BertConfig& c)
    : attention_(scope, c, self_names, c.is_decoder), feed_forward_(scope, c, bert_feed_forward) {
  if (c.add_cross_attention) cross_.emplace(scope, c, cross_names);
}

Tensor BertLayer::operator()(Tensor x, const ModelInputs& in, const Tensor& key_mask, const Tensor& encoder_mask,
                             std::size_t layer) const {
  x = attention_(x, key_mask, Tensor(), in.cache, layer);
  if (cross_ && in.encoder_hidden_states.defined())
    x = cross_->cross(x, in.encoder_hidden_states, encoder_mask, in.cache, layer);
  return feed_forward_(x);
}

BertBody::BertBody(const Scope& scope, const BertConfig& c, PoolerUse pooler)
    : config_(c),
      embeddings_(scope / "embeddings", {.vocab = c.vocab_size,
                                         .width = c.embedding_size > 0 ? c.embedding_size : c.hidden_size,
                                         .positions = c.max_position_embeddings,
                                         .types = c.type_vocab_size,
                                         .padding = c.pad_token_id,
                                         .pads_positions = c.positions_from_padding,
                                         .eps = c.layer_norm_eps}) {
  if (c.embedding_size > 0 && c.embedding_size != c.hidden_size)
    project_.emplace(scope / "embeddings_project", c.embedding_size, c.hidden_size);
  for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) layers_.emplace_back(scope / "encoder" / "layer" / i, c);
  if (c.has_pooler && uses_pooler(pooler, scope / "pooler" / "dense"))
    pooler_.emplace(scope / "pooler" / "dense", c.hidden_size);
}

Tensor BertBody::positions(const ModelInputs& in) const {
  if (!config_.positions_from_padding || in.position_ids.defined()) return positions_or_consecutive(in);
  const std::int64_t past = in.cache ? in.cache->length() : 0;
  if (in.input_ids.defined()) return positions_from_ids(in.input_ids, config_.pad_token_id, past);
  return consecutive_positions(config_.pad_token_id + 1, in.inputs_embeds.size(1));
}

ModelOutput BertBody::forward(const ModelInputs& in) const {
  Tensor x = embeddings_(in, positions(in));
  if (project_) x = (*project_)(x);
  const Tensor seen = self_key_mask(in);
  const Tensor encoder_seen = cross_key_mask(in);
  ModelOutput out = run_layers(
      in, x, layers_.size(), [&](std::size_t i, const Tensor& h) { return layers_[i](h, in, seen, encoder_seen, i); });
  if (pooler_) out.pooler_output = (*pooler_)(out.last_hidden_state);
  return out;
}

std::unique_ptr<Model> make_bert_like(const Json& json, std::string_view where, const Scope& root, Task task,
                                      const BertConfig& config, const EncoderHeads& heads) {
  CommonConfig common = CommonConfig::parse(json, where, true);
  common.learned_positions = true;
  common.mixes_lengths = true;
  // RoBERTa's first positions stand for padding and are not for tokens.
  common.max_position_embeddings =
      config.max_position_embeddings - (config.positions_from_padding ? config.pad_token_id + 1 : 0);
  root.parameters().ignore({"*embeddings.position_ids", "*cls.*", "*pooler.*", "*classifier.*", "*lm_head.*"});
  return std::make_unique<EncoderModel>(
      std::move(common), root, task, heads,
      [&](const Scope& scope, PoolerUse pooler) { return std::make_unique<BertBody>(scope, config, pooler); },
      config.is_decoder);
}

}  // namespace trustformers
