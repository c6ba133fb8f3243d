// DeBERTa-v2 and v3 (He et al. 2021, 2023): disentangled attention over logarithmic buckets of relative positions, with
// an optional convolution beside the first layer.
#include <cmath>

#include "../ops/conv/conv.h"
#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"
#include "deberta_parts.h"

namespace trustformers {
namespace {

struct DebertaV2Config : DebertaConfig {
  std::int64_t position_buckets = -1;  // below 1: every distance has its row
  bool share_att_key = false;
  std::string norm_rel_ebd = "none", conv_act = "tanh";
  std::int64_t conv_kernel_size = 0, conv_groups = 1;  // kernel 0: no convolution
  std::int64_t attention_head_size = 0;                // 0: hidden_size / num_attention_heads

  void fields(auto& v) {
    DebertaConfig::fields(v);
    v("position_buckets", position_buckets);
    v("share_att_key", share_att_key);
    v("norm_rel_ebd", norm_rel_ebd);
    v("conv_act", conv_act);
    v("conv_kernel_size", conv_kernel_size);
    v("conv_groups", conv_groups);
    v("attention_head_size", attention_head_size);
  }
  void validate(std::string_view where) const {
    DebertaConfig::validate(where);
    check(position_buckets < (1 << 24), ErrorCode::parse, "[config] ", where,
          ": \"position_buckets\" must be below 2^24, got ", position_buckets);
    check(position_buckets < 1 || (position_buckets >= 2 && relative_span() > position_buckets / 2 + 1),
          ErrorCode::parse, "[config] ", where, ": \"position_buckets\" must be at least 2 and half of it less than ",
          "the largest distance ", relative_span() - 1, ", got ", position_buckets);
    check(conv_kernel_size <= 0 || (conv_kernel_size % 2 == 1 && conv_kernel_size < (1 << 16)), ErrorCode::parse,
          "[config] ", where, ": \"conv_kernel_size\" must be odd, got ", conv_kernel_size);
    check(conv_groups >= 1 && hidden_size % conv_groups == 0, ErrorCode::parse, "[config] ", where,
          ": \"conv_groups\" must divide ", hidden_size, ", got ", conv_groups);
    check(attention_head_size == 0 || attention_head_size == hidden_size / num_attention_heads, ErrorCode::parse,
          "[config] ", where, ": \"attention_head_size\" must be ", hidden_size / num_attention_heads, ", got ",
          attention_head_size);
  }
  /// Half the rows of the relative table.
  std::int64_t table_span() const { return position_buckets > 0 ? position_buckets : relative_span(); }

  /// Distances up to half the buckets have a bucket each, farther ones share logarithmic ones.
  std::int64_t bucket_of(std::int64_t distance) const {
    if (position_buckets < 1) return distance;
    const std::int64_t middle = position_buckets / 2;
    const std::int64_t far = std::abs(distance);
    if (far <= middle) return distance;
    // in f32, as the reference: at the borders one rounding decides
    const auto half = static_cast<float>(middle);
    const float largest = std::log(static_cast<float>(static_cast<double>(relative_span() - 1) / double(middle)));
    const float bucket =
        std::ceil(std::log(static_cast<float>(far) / half) / largest * static_cast<float>(middle - 1)) + half;
    return static_cast<std::int64_t>(distance > 0 ? bucket : -bucket);
  }
};

/// What the layers of one pass share.
struct V2Context {
  DebertaMask mask;
  Tensor table;  // [1, 2·span, D]; undefined without relative attention
  RelativeIndex index;
};

class V2Attention {
 public:
  V2Attention(const Scope& scope, const DebertaV2Config& c)
      : heads_(c.num_attention_heads),
        c2p_(c.has_term("c2p")),
        p2c_(c.has_term("p2c")),
        query_(scope / "query_proj", c.hidden_size, c.hidden_size),
        key_(scope / "key_proj", c.hidden_size, c.hidden_size),
        value_(scope / "value_proj", c.hidden_size, c.hidden_size) {
    scale_ = 1 / std::sqrt(static_cast<double>(c.hidden_size / heads_) * (1 + c2p_ + p2c_));
    if (!c.relative_attention || c.share_att_key) return;
    if (c2p_) position_key_.emplace(scope / "pos_key_proj", c.hidden_size, c.hidden_size);
    if (p2c_) position_query_.emplace(scope / "pos_query_proj", c.hidden_size, c.hidden_size);
  }

  Tensor operator()(const Tensor& x, const V2Context& context) const {
    const Tensor q = split_heads(query_(x), heads_);
    const Tensor k = split_heads(key_(x), heads_);
    const Tensor v = split_heads(value_(x), heads_);
    Tensor bias;
    if (context.table.defined()) {
      // Without projections of their own positions share those of the content.
      const Linear& to_key = position_key_ ? *position_key_ : key_;
      const Linear& to_query = position_query_ ? *position_query_ : query_;
      bias = disentangled_scores(q, k, c2p_ ? split_heads(to_key(context.table), heads_) : Tensor(),
                                 p2c_ ? split_heads(to_query(context.table), heads_) : Tensor(), context.index);
      if (bias.defined()) bias = bias * scale_;
    }
    return disentangled_attention(q, k, v, scale_, bias, context.mask);
  }

 private:
  std::int64_t heads_;
  bool c2p_, p2c_;
  Linear query_, key_, value_;
  std::optional<Linear> position_key_, position_query_;
  double scale_ = 1;
};

/// norm(residual + act(conv(x))) with zeros for padding.
class ConvLayer {
 public:
  ConvLayer(const Scope& scope, const DebertaV2Config& c)
      : weight_(scope.get("conv.weight", {c.hidden_size, c.hidden_size / c.conv_groups, c.conv_kernel_size})),
        bias_(scope.get("conv.bias", {c.hidden_size}, init_zeros)),
        norm_(scope / "LayerNorm", c.hidden_size, c.layer_norm_eps),
        act_(ActivationFunction::parse(c.conv_act, "conv_act")),
        padding_((c.conv_kernel_size - 1) / 2),
        groups_(c.conv_groups) {}

  Tensor operator()(const Tensor& x, const Tensor& residual, const Tensor& seen) const {
    Tensor y = conv1d(contiguous(transpose(x, 1, 2)), cast(weight_, DType::f32), bias_, 1, padding_, 1, groups_);
    y = transpose(y, 1, 2);
    if (seen.defined()) y = y * seen;
    y = norm_(residual + act_(y));
    return seen.defined() ? y * seen : y;
  }

 private:
  Tensor weight_, bias_;
  LayerNorm norm_;
  ActivationFunction act_;
  std::int64_t padding_, groups_;
};

class DebertaV2Body final : public Body {
 public:
  DebertaV2Body(const Scope& scope, const DebertaV2Config& c) : config_(c), embeddings_(scope / "embeddings", c) {
    const Scope encoder = scope / "encoder";
    for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) layers_.emplace_back(encoder / "layer" / i, c);
    if (c.relative_attention) relative_ = Embedding(encoder / "rel_embeddings", 2 * c.table_span(), c.hidden_size);
    if (c.norm_rel_ebd.find("layer_norm") != std::string::npos)
      relative_norm_ = LayerNorm(encoder / "LayerNorm", c.hidden_size, c.layer_norm_eps);
    if (c.conv_kernel_size > 0) conv_.emplace(encoder / "conv", c);
  }

  ModelOutput forward(const ModelInputs& in) const override {
    V2Context context{.mask = DebertaMask::of(in), .table = {}, .index = {}};
    const Tensor embedded = embeddings_(in, context.mask.seen);
    if (config_.relative_attention) {
      context.table = unsqueeze(relative_norm_(cast(relative_.weight(), DType::f32)), 0);
      context.index = relative_index(embedded.size(1), config_.table_span(),
                                     [&](std::int64_t distance) { return config_.bucket_of(distance); });
    }
    return run_layers(in, embedded, layers_.size(), [&](std::size_t i, const Tensor& h) {
      const Tensor y = layers_[i](h, context);
      return i == 0 && conv_ ? (*conv_)(embedded, y, context.mask.seen) : y;
    });
  }
  const Embedding& input_embeddings() const override { return embeddings_.words(); }

 private:
  DebertaV2Config config_;
  DebertaEmbeddings embeddings_;
  std::vector<DebertaLayer<V2Attention>> layers_;
  Embedding relative_;
  Norm relative_norm_;
  std::optional<ConvLayer> conv_;
};

std::unique_ptr<Model> make_deberta_v2(const Json& json, std::string_view where, const Scope& root, Task task) {
  const auto c = read_encoder_config<DebertaV2Config>(json, where);
  return make_deberta(c, json, where, root, task,
                      [&](const Scope& scope, PoolerUse) { return std::make_unique<DebertaV2Body>(scope, c); });
}

}  // namespace

Architecture deberta_v2_architecture() {
  return {.model_type = "deberta-v2",
          .base_prefix = "deberta",
          .classes = encoder_classes("DebertaV2",
                                     {Task::base, Task::masked_lm, Task::sequence_classification,
                                      Task::token_classification, Task::question_answering, Task::multiple_choice},
                                     make_deberta_v2),
          .gguf = {}};
}

}  // namespace trustformers
