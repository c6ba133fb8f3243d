// MPNet (Song et al. 2020): BERT without token types, with a relative position bias that all layers share.
#include "../nn/relative_position.h"
#include "encoder.h"
#include "encoder_layers.h"

namespace trustformers {
namespace {

constexpr std::int64_t padding_id = 1;

struct MPNetConfig : EncoderConfig {
  std::int64_t relative_attention_num_buckets = 32;

  void fields(auto& v) {
    EncoderConfig::fields(v);
    v("relative_attention_num_buckets", relative_attention_num_buckets);
  }
  void validate(std::string_view where) const {
    EncoderConfig::validate(where);
    check(relative_attention_num_buckets >= 32 && relative_attention_num_buckets < (1 << 20), ErrorCode::parse,
          "[config] ", where, ": \"relative_attention_num_buckets\" must be at least the 32 that are used, got ",
          relative_attention_num_buckets);
  }
};

constexpr AttentionNames mpnet_attention{"attention.attn.q", "attention.attn.k", "attention.attn.v", "attention.attn.o",
                                         "attention.LayerNorm"};

struct MPNetLayer {
  EncoderAttention attention;
  EncoderFeedForward feed_forward;

  MPNetLayer(const Scope& scope, const MPNetConfig& c)
      : attention(scope, c, mpnet_attention), feed_forward(scope, c, bert_feed_forward) {}
};

class MPNetBody final : public Body {
 public:
  MPNetBody(const Scope& scope, const MPNetConfig& c, PoolerUse pooler)
      : embeddings_(scope / "embeddings", {.vocab = c.vocab_size,
                                           .width = c.hidden_size,
                                           .positions = c.max_position_embeddings,
                                           .padding = padding_id,
                                           .pads_positions = true,
                                           .eps = c.layer_norm_eps}),
        bias_(scope / "encoder" / "relative_attention_bias", c.relative_attention_num_buckets, c.num_attention_heads) {
    for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) layers_.emplace_back(scope / "encoder" / "layer" / i, c);
    if (uses_pooler(pooler, scope / "pooler" / "dense")) pooler_.emplace(scope / "pooler" / "dense", c.hidden_size);
  }

  ModelOutput forward(const ModelInputs& in) const override {
    const Tensor x = embeddings_(in, positions(in));
    const Tensor seen = self_key_mask(in);
    // 32 buckets up to distance 128, whatever the size of the table: [L, L, H] -> [1, H, L, L]
    const Tensor buckets = relative_buckets({}, 0, x.size(1), x.size(1));
    const Tensor bias = unsqueeze(contiguous(permute(bias_(buckets), {2, 0, 1})), 0);
    ModelOutput out = run_layers(in, x, layers_.size(), [&](std::size_t i, const Tensor& h) {
      return layers_[i].feed_forward(layers_[i].attention(h, seen, bias));
    });
    if (pooler_) out.pooler_output = (*pooler_)(out.last_hidden_state);
    return out;
  }
  const Embedding& input_embeddings() const override { return embeddings_.words(); }

 private:
  static Tensor positions(const ModelInputs& in) {
    if (in.position_ids.defined()) return in.position_ids;
    if (in.input_ids.defined()) return positions_from_ids(in.input_ids, padding_id);
    return consecutive_positions(padding_id + 1, in.inputs_embeds.size(1));
  }

  EncoderEmbeddings embeddings_;
  Embedding bias_;
  std::vector<MPNetLayer> layers_;
  std::optional<FirstTokenPooler> pooler_;
};

std::unique_ptr<Model> make_mpnet(const Json& json, std::string_view where, const Scope& root, Task task) {
  const auto c = read_encoder_config<MPNetConfig>(json, where);
  CommonConfig common = CommonConfig::parse(json, where, true);
  common.max_position_embeddings = c.max_position_embeddings - padding_id - 1;
  common.learned_positions = true;
  root.parameters().ignore({"*embeddings.position_ids", "*pooler.*", "*lm_head.*"});
  return std::make_unique<EncoderModel>(
      std::move(common), root, task, roberta_heads("mpnet", c.layer_norm_eps),
      [&](const Scope& scope, PoolerUse pooler) { return std::make_unique<MPNetBody>(scope, c, pooler); });
}

}  // namespace

Architecture mpnet_architecture() {
  return {.model_type = "mpnet",
          .base_prefix = "mpnet",
          .classes = encoder_classes("MPNet",
                                     {Task::base, Task::masked_lm, Task::sequence_classification,
                                      Task::token_classification, Task::question_answering, Task::multiple_choice},
                                     make_mpnet),
          .gguf = {}};
}

}  // namespace trustformers
