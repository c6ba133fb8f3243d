// ALBERT (Lan et al. 2020): BERT with narrow tables and layers that share their weights.
#include "encoder.h"
#include "encoder_layers.h"

namespace trustformers {
namespace {

struct AlbertConfig : EncoderConfig {
  std::int64_t embedding_size = 128, num_hidden_groups = 1, inner_group_num = 1;

  void fields(auto& v) {
    EncoderConfig::fields(v);
    v("embedding_size", embedding_size);
    v("num_hidden_groups", num_hidden_groups);
    v("inner_group_num", inner_group_num);
  }
  void validate(std::string_view where) const {
    EncoderConfig::validate(where);
    check_count(embedding_size, 1, "embedding_size", where);
    check(num_hidden_groups >= 1 && num_hidden_groups <= num_hidden_layers, ErrorCode::parse, "[config] ", where,
          ": \"num_hidden_groups\" must lie between 1 and the ", num_hidden_layers, " layers, got ", num_hidden_groups);
    check(inner_group_num >= 1 && inner_group_num <= 1024, ErrorCode::parse, "[config] ", where,
          ": \"inner_group_num\" must lie between 1 and 1024, got ", inner_group_num);
  }
};

constexpr AttentionNames albert_attention{"attention.query", "attention.key", "attention.value", "attention.dense",
                                          "attention.LayerNorm"};
constexpr FeedForwardNames albert_feed_forward{"ffn", "ffn_output", "full_layer_layer_norm"};

struct AlbertLayer {
  EncoderAttention attention;
  EncoderFeedForward feed_forward;

  AlbertLayer(const Scope& scope, const AlbertConfig& c)
      : attention(scope, c, albert_attention), feed_forward(scope, c, albert_feed_forward) {}
};

class AlbertBody final : public Body {
 public:
  AlbertBody(const Scope& scope, const AlbertConfig& c, PoolerUse pooler)
      : config_(c),
        embeddings_(scope / "embeddings", {.vocab = c.vocab_size,
                                           .width = c.embedding_size,
                                           .positions = c.max_position_embeddings,
                                           .types = c.type_vocab_size,
                                           .padding = c.pad_token_id,
                                           .eps = c.layer_norm_eps}),
        widen_(scope / "encoder" / "embedding_hidden_mapping_in", c.embedding_size, c.hidden_size) {
    for (std::int64_t group = 0; group < c.num_hidden_groups; ++group)
      for (std::int64_t i = 0; i < c.inner_group_num; ++i)
        layers_.emplace_back(scope / "encoder" / "albert_layer_groups" / group / "albert_layers" / i, c);
    if (uses_pooler(pooler, scope / "pooler")) pooler_.emplace(scope / "pooler", c.hidden_size);
  }

  ModelOutput forward(const ModelInputs& in) const override {
    const Tensor seen = self_key_mask(in);
    const auto inner = static_cast<std::size_t>(config_.inner_group_num);
    const std::size_t depth = static_cast<std::size_t>(config_.num_hidden_layers) * inner;
    ModelOutput out = run_layers(in, widen_(embeddings_(in, positions_or_consecutive(in))), depth,
                                 [&](std::size_t step, const Tensor& x) {
                                   const AlbertLayer& layer = layers_[group_of(step / inner) * inner + step % inner];
                                   return layer.feed_forward(layer.attention(x, seen));
                                 });
    if (pooler_) out.pooler_output = (*pooler_)(out.last_hidden_state);
    return out;
  }
  const Embedding& input_embeddings() const override { return embeddings_.words(); }

 private:
  /// Layers share groups evenly. In floating point, as the reference divides.
  std::size_t group_of(std::size_t layer) const {
    const double share =
        static_cast<double>(config_.num_hidden_layers) / static_cast<double>(config_.num_hidden_groups);
    return static_cast<std::size_t>(static_cast<double>(layer) / share);
  }

  AlbertConfig config_;
  EncoderEmbeddings embeddings_;
  Linear widen_;
  std::vector<AlbertLayer> layers_;  // the groups' layers, one group after the other
  std::optional<FirstTokenPooler> pooler_;
};

std::unique_ptr<Model> make_albert(const Json& json, std::string_view where, const Scope& root, Task task) {
  AlbertConfig c;
  c.hidden_act = "gelu_new";
  read_encoder_config_into(c, json, where);
  CommonConfig common = CommonConfig::parse(json, where, true);
  common.max_position_embeddings = c.max_position_embeddings;
  common.learned_positions = true;
  const EncoderHeads heads{.body = "albert",
                           .lm = {.dense = "predictions.dense",
                                  .activation = c.activation(),
                                  .norm = "predictions.LayerNorm",
                                  .outputs = c.embedding_size,
                                  .eps = c.layer_norm_eps},
                           .lm_decoder = "predictions.decoder",
                           .lm_bias = "predictions.bias",
                           .lm_untied_bias = "predictions.decoder.bias",
                           .pair_classifier = "sop_classifier.classifier",
                           .pair_labels = common.num_labels,
                           .pair_logits = &ModelOutput::sop_logits,
                           .pair_label = &ModelInputs::sentence_order_label};
  root.parameters().ignore({"*embeddings.position_ids", "*predictions.*", "*sop_classifier.*", "*pooler.*"});
  return std::make_unique<EncoderModel>(
      std::move(common), root, task, heads,
      [&](const Scope& scope, PoolerUse pooler) { return std::make_unique<AlbertBody>(scope, c, pooler); });
}

}  // namespace

Architecture albert_architecture() {
  return {.model_type = "albert",
          .base_prefix = "albert",
          .classes =
              encoder_classes("Albert",
                              {Task::base, Task::masked_lm, Task::sequence_classification, Task::token_classification,
                               Task::question_answering, Task::multiple_choice, Task::pretraining},
                              make_albert),
          .gguf = {}};
}

}  // namespace trustformers
