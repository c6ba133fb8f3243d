// ESM-1b and ESM-2 (Rives et al. 2021, Lin et al. 2023): pre-norm encoder of protein sequences.
#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"
#include "../ops/reduce/reduce.h"
#include "decoder.h"
#include "encoder.h"
#include "encoder_layers.h"

namespace trustformers {
namespace {

struct EsmConfig : EncoderConfig {
  std::string position_embedding_type = "absolute";
  double rope_theta = 10000;
  std::optional<std::int64_t> pad_token_id, mask_token_id;
  bool emb_layer_norm_before = false, token_dropout = false;
  bool is_decoder = false, add_cross_attention = false, is_folding_model = false;

  void fields(auto& v) {
    EncoderConfig::fields(v);
    v("position_embedding_type", position_embedding_type);
    v("rope_theta", rope_theta);
    v("pad_token_id", pad_token_id);
    v("mask_token_id", mask_token_id);
    v("emb_layer_norm_before", emb_layer_norm_before);
    v("token_dropout", token_dropout);
    v("is_decoder", is_decoder);
    v("add_cross_attention", add_cross_attention);
    v("is_folding_model", is_folding_model);
  }
  void validate(std::string_view where) const {
    EncoderConfig::validate(where);
    check(position_embedding_type == "absolute" || rotary(), ErrorCode::unsupported, "[config] ", where,
          ": \"position_embedding_type\" must be absolute or rotary, got \"", position_embedding_type, "\"");
    check(!rotary() || hidden_size / num_attention_heads % 2 == 0, ErrorCode::parse, "[config] ", where,
          ": \"num_attention_heads\" must leave heads of an even width, got ", hidden_size / num_attention_heads);
    check(rotary() || pad_token_id, ErrorCode::parse, "[config] ", where, ": absolute positions need \"pad_token_id\"");
    check(!token_dropout || mask_token_id, ErrorCode::parse, "[config] ", where,
          ": \"token_dropout\" needs \"mask_token_id\"");
    for (const auto& [key, value] :
         {std::pair("add_cross_attention", add_cross_attention), std::pair("is_folding_model", is_folding_model)})
      check(!value, ErrorCode::unsupported, "[config] ", where, ": \"", key, "\" is not supported");
  }
  bool rotary() const { return position_embedding_type == "rotary"; }
};

/// Token embeddings in which masks were dropped out, with the scale of training, and zeros for padding.
class EsmEmbeddings {
 public:
  EsmEmbeddings(const Scope& scope, const EsmConfig& c)
      : config_(c), words_(scope / "word_embeddings", c.vocab_size, c.hidden_size, c.pad_token_id) {
    if (c.emb_layer_norm_before) norm_ = LayerNorm(scope / "layer_norm", c.hidden_size, c.layer_norm_eps);
    if (!c.rotary())
      positions_.emplace(scope / "position_embeddings", c.max_position_embeddings, c.hidden_size, c.pad_token_id);
  }

  Tensor operator()(const ModelInputs& in) const {
    Tensor x = words_(in.input_ids);
    if (config_.token_dropout) x = drop_masks(x, in);
    if (positions_)
      x = x + (*positions_)(in.position_ids.defined() ? in.position_ids
                                                      : positions_from_ids(in.input_ids, *config_.pad_token_id));
    x = norm_(x);
    return in.attention_mask.defined() ? x * unsqueeze(cast(in.attention_mask, DType::f32), 2) : x;
  }
  const Embedding& words() const { return words_; }

 private:
  /// Training masked 80 % of 15 % of the tokens; what is seen now is scaled to the same mean.
  Tensor drop_masks(const Tensor& x, const ModelInputs& in) const {
    constexpr double trained_ratio = 0.15 * 0.8;
    const Tensor masked = equal(in.input_ids, static_cast<double>(*config_.mask_token_id));
    const Tensor length = in.attention_mask.defined() ? sum(cast(in.attention_mask, DType::f32), {1})
                                                      : Tensor::full({1}, static_cast<double>(in.input_ids.size(1)));
    const Tensor seen = -(sum(cast(masked, DType::f32), {1}) / length) + 1;
    const Tensor kept = where(unsqueeze(masked, 2), Tensor::zeros({}), x);
    return kept * (1 - trained_ratio) / reshape(seen, {-1, 1, 1});
  }

  EsmConfig config_;
  Embedding words_;
  std::optional<Embedding> positions_;
  Norm norm_;
};

class EsmBody final : public Body {
 public:
  EsmBody(const Scope& scope, const EsmConfig& c, PoolerUse pooler) : embeddings_(scope / "embeddings", c) {
    const std::int64_t head_dim = c.hidden_size / c.num_attention_heads;
    if (c.rotary()) {
      RopeConfig rope;
      rope.theta = c.rope_theta;
      rotary_.emplace(rope, head_dim, c.max_position_embeddings);
    }
    const auto norm = [&](const Scope& at) { return LayerNorm(at, c.hidden_size, c.layer_norm_eps); };
    for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) {
      const Scope layer = scope / "encoder" / "layer" / i;
      const SelfAttentionConfig attention{.hidden_size = c.hidden_size,
                                          .heads = c.num_attention_heads,
                                          .kv_heads = c.num_attention_heads,
                                          .head_dim = head_dim,
                                          .bias = true,
                                          .output_bias = true,
                                          .causal = c.is_decoder,
                                          .names = {"self.query", "self.key", "self.value"},
                                          .output_name = "output.dense",
                                          .rotation = c.rotary() ? std::optional<std::size_t>(0) : std::nullopt};
      layers_.push_back({.attention_norm = norm(layer / "attention" / "LayerNorm"),
                         .attention = std::make_unique<SelfAttention>(layer / "attention", attention),
                         .mlp_norm = norm(layer / "LayerNorm"),
                         .mlp = plain_mlp(layer, {c.hidden_size, c.intermediate_size, true}, fixed_activation("gelu"),
                                          "intermediate.dense", "output.dense")});
    }
    norm_ = norm(scope / "encoder" / "emb_layer_norm_after");
    if (uses_pooler(pooler, scope / "pooler" / "dense")) pooler_.emplace(scope / "pooler" / "dense", c.hidden_size);
  }

  ModelOutput forward(const ModelInputs& in) const override {
    const Tensor positions = positions_or_consecutive(in);
    ForwardContext context{
        .positions = positions, .key_mask = self_key_mask(in), .bias = {}, .cache = nullptr, .rotations = {}};
    if (rotary_) context.rotations.push_back({&*rotary_, rotary_->tables(positions_needed(positions))});
    ModelOutput out = run_layers(in, in.inputs_embeds.defined() ? in.inputs_embeds : embeddings_(in), layers_.size(),
                                 [&](std::size_t i, const Tensor& h) { return layers_[i](h, context); });
    out.last_hidden_state = norm_(out.last_hidden_state);
    if (in.output_hidden_states) out.hidden_states.back() = out.last_hidden_state;
    if (pooler_) out.pooler_output = (*pooler_)(out.last_hidden_state);
    return out;
  }
  const Embedding& input_embeddings() const override { return embeddings_.words(); }

 private:
  EsmEmbeddings embeddings_;
  std::optional<RotaryEmbedding> rotary_;
  std::vector<DecoderBlock> layers_;
  LayerNorm norm_;
  std::optional<FirstTokenPooler> pooler_;
};

std::unique_ptr<Model> make_esm(const Json& json, std::string_view where, const Scope& root, Task task) {
  EsmConfig c;
  c.max_position_embeddings = 1026;
  read_encoder_config_into(c, json, where);
  CommonConfig common = CommonConfig::parse(json, where, true);
  common.learned_positions = !c.rotary();
  common.max_position_embeddings = c.rotary() ? 0 : c.max_position_embeddings - *c.pad_token_id - 1;
  EncoderHeads heads = roberta_heads("esm", c.layer_norm_eps);
  heads.lm_untied_bias = "lm_head.bias";
  root.parameters().ignore(
      {"*contact_head.*", "*inv_freq", "*position_ids", "*position_embeddings.*", "*pooler.*", "lm_head.*"});
  return std::make_unique<EncoderModel>(
      std::move(common), root, task, heads,
      [&](const Scope& scope, PoolerUse pooler) { return std::make_unique<EsmBody>(scope, c, pooler); });
}

}  // namespace

Architecture esm_architecture() {
  return {
      .model_type = "esm",
      .base_prefix = "esm",
      .classes = encoder_classes(
          "Esm", {Task::base, Task::masked_lm, Task::sequence_classification, Task::token_classification}, make_esm),
      .gguf = {}};
}

}  // namespace trustformers
