// DeBERTa (He et al. 2021): disentangled attention over a table of relative positions.
#include <algorithm>
#include <cmath>

#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"
#include "../ops/matmul/matmul.h"
#include "../ops/reduce/reduce.h"
#include "deberta_parts.h"

namespace trustformers {
namespace {

struct DebertaV1Config : DebertaConfig {
  bool talking_head = false;

  void fields(auto& v) {
    DebertaConfig::fields(v);
    v("talking_head", talking_head);
  }
};

/// What the layers of one pass share.
struct Context {
  DebertaMask mask;
  Tensor table;  // [1, 2·span, D]; undefined without relative attention
  RelativeIndex index;
};

class DisentangledAttention {
 public:
  DisentangledAttention(const Scope& scope, const DebertaV1Config& c)
      : heads_(c.num_attention_heads),
        in_proj_(scope / "in_proj", c.hidden_size, 3 * c.hidden_size, false),
        q_bias_(scope.get("q_bias", {c.hidden_size}, init_zeros)),
        v_bias_(scope.get("v_bias", {c.hidden_size}, init_zeros)) {
    const auto terms = static_cast<double>(1 + c.position_terms().size());
    scale_ = 1 / std::sqrt(static_cast<double>(c.hidden_size / heads_) * terms);
    if (c.relative_attention && c.has_term("c2p"))
      position_key_.emplace(scope / "pos_proj", c.hidden_size, c.hidden_size, false);
    if (c.relative_attention && c.has_term("p2c"))
      position_query_.emplace(scope / "pos_q_proj", c.hidden_size, c.hidden_size);
    if (c.talking_head) {
      mix_scores_.emplace(scope / "head_logits_proj", heads_, heads_, false);
      mix_weights_.emplace(scope / "head_weights_proj", heads_, heads_, false);
    }
  }

  Tensor operator()(const Tensor& x, const Context& context) const {
    // in_proj's rows are q, k, v of the first head, then of the second, ...
    const std::vector<Tensor> qkv = chunk(split_heads(in_proj_(x), heads_), 3, 3);
    const Tensor q = qkv[0] + by_head(q_bias_);
    const Tensor& k = qkv[1];
    const Tensor v = qkv[2] + by_head(v_bias_);
    Tensor bias;
    if (context.table.defined()) {
      const auto projected = [&](const std::optional<Linear>& projection) {
        return projection ? split_heads((*projection)(context.table), heads_) : Tensor();
      };
      bias = disentangled_scores(q, k, projected(position_key_), projected(position_query_), context.index);
      if (bias.defined()) bias = bias * scale_;
    }
    if (mix_scores_) return talking_heads(q, k, v, bias, context.mask);
    return disentangled_attention(q, k, v, scale_, bias, context.mask);
  }

 private:
  Tensor by_head(const Tensor& bias) const { return reshape(bias, {heads_, 1, bias.size(0) / heads_}); }

  /// Scores are mixed over the heads before the softmax and weights after it (Shazeer et al. 2020). The mixed scores
  /// enter attention() as its bias; for the weights every head attends to the values of all heads.
  Tensor talking_heads(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& bias,
                       const DebertaMask& mask) const {
    Tensor scores = matmul(q, transpose(k, 2, 3)) * scale_;
    if (bias.defined()) scores = scores + bias;
    const Tensor mixed = permute((*mix_scores_)(permute(scores, {0, 2, 3, 1})), {0, 3, 1, 2});
    const std::int64_t batch = q.size(0), length = q.size(2), width = v.size(3);
    const Tensor all_values =
        contiguous(expand(unsqueeze(merge_heads(v), 1), {batch, heads_, v.size(2), heads_ * width}));
    const Tensor each = disentangled_attention(q, k, all_values, 0, mixed, mask);
    // [B, L, G, H, D]: what the weights of head g make of the values of head h
    const Tensor context = permute(reshape(each, {batch, length, heads_, heads_, width}), {0, 1, 3, 4, 2});
    const Tensor weights = reshape(cast(mix_weights_->weight(), DType::f32), {heads_, 1, heads_});
    return reshape(sum(context * weights, {-1}), {batch, length, heads_ * width});
  }

  std::int64_t heads_;
  Linear in_proj_;
  Tensor q_bias_, v_bias_;
  std::optional<Linear> position_key_, position_query_, mix_scores_, mix_weights_;
  double scale_ = 1;
};

class DebertaBody final : public Body {
 public:
  DebertaBody(const Scope& scope, const DebertaV1Config& c) : config_(c), embeddings_(scope / "embeddings", c) {
    for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) layers_.emplace_back(scope / "encoder" / "layer" / i, c);
    if (c.relative_attention)
      relative_ = Embedding(scope / "encoder" / "rel_embeddings", 2 * c.relative_span(), c.hidden_size);
  }

  ModelOutput forward(const ModelInputs& in) const override {
    Context context{.mask = DebertaMask::of(in), .table = {}, .index = {}};
    const Tensor x = embeddings_(in, context.mask.seen);
    if (config_.relative_attention) {
      const std::int64_t most = config_.relative_span();
      const std::int64_t span = std::min(x.size(1), most);
      context.table = unsqueeze(cast(slice(relative_.weight(), 0, most - span, most + span), DType::f32), 0);
      context.index = relative_index(x.size(1), span, [](std::int64_t distance) { return distance; });
    }
    return run_layers(in, x, layers_.size(), [&](std::size_t i, const Tensor& h) { return layers_[i](h, context); });
  }
  const Embedding& input_embeddings() const override { return embeddings_.words(); }

 private:
  DebertaV1Config config_;
  DebertaEmbeddings embeddings_;
  std::vector<DebertaLayer<DisentangledAttention>> layers_;
  Embedding relative_;
};

std::unique_ptr<Model> make_deberta(const Json& json, std::string_view where, const Scope& root, Task task) {
  const auto c = read_encoder_config<DebertaV1Config>(json, where);
  return make_deberta(c, json, where, root, task,
                      [&](const Scope& scope, PoolerUse) { return std::make_unique<DebertaBody>(scope, c); });
}

}  // namespace

Architecture deberta_architecture() {
  return {.model_type = "deberta",
          .base_prefix = "deberta",
          .classes = encoder_classes("Deberta",
                                     {Task::base, Task::masked_lm, Task::sequence_classification,
                                      Task::token_classification, Task::question_answering},
                                     make_deberta),
          .gguf = {}};
}

}  // namespace trustformers
