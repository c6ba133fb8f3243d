// Apertus (Swiss AI 2025): LLaMA with norms of each head's queries and keys, and a plain feed-forward of xIELU.
#include <cmath>

#include "../ops/activation/activation.h"
#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"
#include "decoder.h"

namespace trustformers {
namespace {

struct ApertusConfig : DecoderConfig {
  ApertusConfig() {
    hidden_act = "xielu";
    norm_eps = 1e-5;
    max_position_embeddings = 65536;
    rope.type = "llama3";
    rope.theta = 12e6;
    rope.factor = 8;
    rope.original_max_positions = 8192;
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    mlp_bias = false;  // whatever the file says
  }
};

/// A number of the checkpoint that is `value` in a fresh model.
Tensor starting_at(double value, const Scope& scope, std::string_view leaf, const Shape& shape) {
  Tensor t = scope.get(leaf, shape, init_zeros);
  if (t.defined() && !scope.stored(leaf)) t.mutable_data<float>()[0] = static_cast<float>(value);
  return t;
}

/// xIELU (Huang & Schlag 2024): a parabola for positive x, an exponential below, their steepness being learned.
class Xielu {
 public:
  explicit Xielu(const Scope& scope)
      : alpha_p_(starting_at(std::log(std::expm1(0.8)), scope, "alpha_p", {1})),
        alpha_n_(starting_at(std::log(std::expm1(0.3)), scope, "alpha_n", {1})),
        beta_(starting_at(0.5, scope, "beta", {})),
        eps_(starting_at(-1e-6, scope, "eps", {})) {
    for (Tensor* constant : {&beta_, &eps_})
      if (constant->defined()) constant->set_requires_grad(false);
  }
  Tensor operator()(const Tensor& x) const {
    const Tensor parabola = softplus(alpha_p_) * x * x;
    const Tensor exponential = (exp(minimum(x, eps_)) - 1.0 - x) * (beta_ + softplus(alpha_n_));
    return where(greater(x, 0.0), parabola, exponential) + beta_ * x;
  }

 private:
  Tensor alpha_p_, alpha_n_, beta_, eps_;
};

class XieluMlp final : public FeedForward {
 public:
  XieluMlp(const Scope& scope, const MlpShape& s)
      : up_(scope / "up_proj", s.hidden_size, s.intermediate_size, s.bias),
        act_(scope / "act_fn"),
        down_(scope / "down_proj", s.intermediate_size, s.hidden_size, s.bias) {}
  Tensor operator()(const Tensor& x) const override { return down_(act_(up_(x))); }

 private:
  Linear up_;
  Xielu act_;
  Linear down_;
};

std::unique_ptr<FeedForward> feed_forward(const Scope& scope, const ApertusConfig& c) {
  if (c.hidden_act == "xielu") return std::make_unique<XieluMlp>(scope, c.mlp());
  return plain_mlp(scope, c.mlp(), c.activation(), "up_proj", "down_proj");
}

std::unique_ptr<Body> apertus_body(const Scope& scope, const ApertusConfig& c) {
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    SelfAttentionConfig attention = c.attention(i);
    attention.q_norm = RmsNorm(layer / "self_attn" / "q_norm", c.head_dim, c.norm_eps);
    attention.k_norm = RmsNorm(layer / "self_attn" / "k_norm", c.head_dim, c.norm_eps);
    return {.attention_norm = RmsNorm(layer / "attention_layernorm", c.hidden_size, c.norm_eps),
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", attention),
            .mlp_norm = RmsNorm(layer / "feedforward_layernorm", c.hidden_size, c.norm_eps),
            .mlp = feed_forward(layer / "mlp", c)};
  });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_apertus(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<ApertusConfig>(json, where);
  return make_decoder(c, json, where, root, head, {}, false,
                      [&](const Scope& scope) { return apertus_body(scope, c); });
}

}  // namespace

Architecture apertus_architecture() {
  using enum DecoderHead;
  return {.model_type = "apertus",
          .base_prefix = "model",
          .classes = decoder_classes("Apertus", make_apertus, {none, causal_lm, token_classification}),
          .gguf = {}};
}

}  // namespace trustformers
