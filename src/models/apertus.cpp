// Apertus (Swiss AI 2025): LLaMA with norms of each head's queries and keys, and a plain feed-forward of xIELU.
#include <cmath>

#include "../ops/activation/activation.h"
#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"
#include "decoder.h"

namespace trustformers {
namespace {

struct ApertusConfig : DecoderConfig {
  /// Of all layers, where they are no tensors.
  std::vector<double> xielu_alpha_p, xielu_alpha_n, xielu_beta, xielu_eps;

  ApertusConfig() {
    hidden_act = "xielu";
    norm_eps = 1e-5;
    max_position_embeddings = 65536;
    rope.type = "llama3";
    rope.theta = 12e6;
    rope.factor = 8;
    rope.original_max_positions = 8192;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    v("xielu_alpha_p", xielu_alpha_p);
    v("xielu_alpha_n", xielu_alpha_n);
    v("xielu_beta", xielu_beta);
    v("xielu_eps", xielu_eps);
  }
  void finish(const Json& json, std::string_view where) {
    DecoderConfig::finish(json, where);
    mlp_bias = false;  // whatever the file says
    for (const std::vector<double>* numbers : {&xielu_alpha_p, &xielu_alpha_n, &xielu_beta, &xielu_eps})
      check((numbers->empty() && xielu_alpha_p.empty()) || std::ssize(*numbers) == num_hidden_layers, ErrorCode::parse,
            "[config] ", where, ": \"xielu_…\" lists ", numbers->size(), " numbers for ", num_hidden_layers, " layers");
  }
};

/// `t` of the checkpoint, or `value` in a fresh model.
Tensor starting_at(double value, const Tensor& t, const Scope& scope, std::string_view leaf) {
  if (t.defined() && !scope.stored(leaf)) t.mutable_data<float>()[0] = static_cast<float>(value);
  return t;
}

/// xIELU (Huang & Schlag 2024): a parabola for positive x, an exponential below, their steepness being learned.
class Xielu {
 public:
  Xielu(const Scope& scope, const ApertusConfig& c, std::int64_t i) {
    if (!c.xielu_alpha_p.empty()) {
      const auto of_layer = [&](const std::vector<double>& all) {
        return Tensor::full({1}, all[static_cast<std::size_t>(i)]);
      };
      alpha_p_ = of_layer(c.xielu_alpha_p);
      alpha_n_ = of_layer(c.xielu_alpha_n);
      beta_ = of_layer(c.xielu_beta);
      eps_ = of_layer(c.xielu_eps);
      return;
    }
    const auto learned = [&](std::string_view leaf, double start) {
      return starting_at(std::log(std::expm1(start)), scope.get(leaf, {1}, init_zeros), scope, leaf);
    };
    const auto constant = [&](std::string_view leaf, double value) {
      return starting_at(value, scope.get_buffer(leaf, {}, init_zeros), scope, leaf);
    };
    alpha_p_ = learned("alpha_p", 0.8);
    alpha_n_ = learned("alpha_n", 0.3);
    beta_ = constant("beta", 0.5);
    eps_ = constant("eps", -1e-6);
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
  XieluMlp(const Scope& scope, const ApertusConfig& c, std::int64_t i)
      : up_(scope / "up_proj", c.hidden_size, c.intermediate_size, c.mlp_bias),
        act_(scope / "act_fn", c, i),
        down_(scope / "down_proj", c.intermediate_size, c.hidden_size, c.mlp_bias) {}
  Tensor operator()(const Tensor& x) const override { return down_(act_(up_(x))); }

 private:
  Linear up_;
  Xielu act_;
  Linear down_;
};

std::unique_ptr<FeedForward> feed_forward(const Scope& scope, const ApertusConfig& c, std::int64_t i) {
  if (c.hidden_act == "xielu") return std::make_unique<XieluMlp>(scope, c, i);
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
            .mlp = feed_forward(layer / "mlp", c, i)};
  });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_apertus(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<ApertusConfig>(json, where);
  return make_decoder(c, json, where, root, head, {}, false,
                      [&](const Scope& scope) { return apertus_body(scope, c); });
}

/// xIELU's numbers are metadata there, one list for all layers.
GgufArchitecture apertus_gguf() {
  GgufArchitecture g = gguf_decoder("apertus");
  set_gguf_name(g, "model.layers.#.attention_layernorm", "blk.#.attn_norm");
  set_gguf_name(g, "model.layers.#.feedforward_layernorm", "blk.#.ffn_norm");
  extend_gguf_config(g, [](const GgufMetadata& m, Json& c) {
    for (const std::string name : {"alpha_p", "alpha_n", "beta", "eps"}) {
      Json::Array numbers;
      for (const float x : m.at("xielu." + name).as_floats()) numbers.emplace_back(static_cast<double>(x));
      c.set("xielu_" + name, Json(std::move(numbers)));
    }
  });
  return g;
}

}  // namespace

Architecture apertus_architecture() {
  using enum DecoderHead;
  return {.model_type = "apertus",
          .base_prefix = "model",
          .classes = decoder_classes("Apertus", make_apertus, {none, causal_lm, token_classification}),
          .gguf = apertus_gguf()};
}

}  // namespace trustformers
