// DistilBERT (Sanh et al. 2019): a BERT of half the depth, without token types and pooler.
#include <cmath>

#include "encoder.h"
#include "encoder_layers.h"

namespace trustformers {
namespace {

constexpr AttentionNames distilbert_attention{"attention.q_lin", "attention.k_lin", "attention.v_lin",
                                              "attention.out_lin", "sa_layer_norm"};
constexpr FeedForwardNames distilbert_feed_forward{"ffn.lin1", "ffn.lin2", "output_layer_norm"};

struct DistilBertConfig : EncoderConfig {
  bool sinusoidal_pos_embds = false;  // how the position table starts

  void fields(auto& v) {
    EncoderConfig::fields(v);
    v("sinusoidal_pos_embds", sinusoidal_pos_embds);
  }
};

/// Sines in even columns and cosines in odd ones, of angles that fall from 1 to 1/10000 a position (Vaswani et al.
/// 2017).
void fill_with_sinusoids(const Tensor& table) {
  const std::int64_t width = table.size(1);
  float* data = table.mutable_data<float>();
  for (std::int64_t p = 0; p < table.size(0); ++p)
    for (std::int64_t d = 0; d < width; ++d) {
      const double angle =
          static_cast<double>(p) / std::pow(10000.0, static_cast<double>(d / 2 * 2) / static_cast<double>(width));
      *data++ = static_cast<float>(d % 2 == 0 ? std::sin(angle) : std::cos(angle));
    }
}

struct DistilBertLayer {
  EncoderAttention attention;
  EncoderFeedForward feed_forward;

  DistilBertLayer(const Scope& scope, const EncoderConfig& c)
      : attention(scope, c, distilbert_attention), feed_forward(scope, c, distilbert_feed_forward) {}
};

class DistilBertBody final : public Body {
 public:
  DistilBertBody(const Scope& scope, const DistilBertConfig& c)
      : embeddings_(scope / "embeddings", {.vocab = c.vocab_size,
                                           .width = c.hidden_size,
                                           .positions = c.max_position_embeddings,
                                           .padding = c.pad_token_id,
                                           .eps = c.layer_norm_eps}) {
    const Scope positions = scope / "embeddings" / "position_embeddings";
    const Tensor table = positions.get("weight", {c.max_position_embeddings, c.hidden_size});
    if (c.sinusoidal_pos_embds && table.defined() && !positions.stored("weight")) fill_with_sinusoids(table);
    for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) layers_.emplace_back(scope / "transformer" / "layer" / i, c);
  }

  ModelOutput forward(const ModelInputs& in) const override {
    const Tensor seen = self_key_mask(in);
    return run_layers(
        in, embeddings_(in, positions_or_consecutive(in)), layers_.size(),
        [&](std::size_t i, const Tensor& x) { return layers_[i].feed_forward(layers_[i].attention(x, seen)); });
  }
  const Embedding& input_embeddings() const override { return embeddings_.words(); }

 private:
  EncoderEmbeddings embeddings_;
  std::vector<DistilBertLayer> layers_;
};

std::unique_ptr<Model> make_distilbert(const Json& json, std::string_view where, const Scope& root, Task task) {
  const auto c = read_encoder_config<DistilBertConfig>(json, where);
  CommonConfig common = CommonConfig::parse(json, where, true);
  common.max_position_embeddings = c.max_position_embeddings;
  common.learned_positions = true;
  const TransformSpec classifier{.dense = "pre_classifier", .activation = fixed_activation("relu")};
  const EncoderHeads heads{.body = "distilbert",
                           .lm = {.dense = "vocab_transform",
                                  .activation = c.activation(),
                                  .norm = "vocab_layer_norm",
                                  .eps = c.layer_norm_eps},
                           .lm_decoder = "vocab_projector",
                           .lm_bias = "vocab_projector.bias",
                           .lm_untied_bias = "vocab_projector.bias",
                           .sentence = SentenceVector::first,
                           .sentence_transform = classifier,
                           .choice = SentenceVector::first,
                           .choice_transform = classifier};
  root.parameters().ignore({"vocab_*", "*classifier.*"});
  return std::make_unique<EncoderModel>(std::move(common), root, task, heads, [&](const Scope& scope, PoolerUse) {
    return std::make_unique<DistilBertBody>(scope, c);
  });
}

}  // namespace

Architecture distilbert_architecture() {
  return {.model_type = "distilbert",
          .base_prefix = "distilbert",
          .classes = encoder_classes("DistilBert",
                                     {Task::base, Task::masked_lm, Task::sequence_classification,
                                      Task::token_classification, Task::question_answering, Task::multiple_choice},
                                     make_distilbert),
          .gguf = {}};
}

}  // namespace trustformers
