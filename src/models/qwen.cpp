// Qwen, first generation (Bai et al. 2023): LLaMA with fused projections, whose rotary base and query scale follow the
// length of texts beyond the trained one.
#include <cmath>
#include <map>

#include "../ops/shape/shape_ops.h"
#include "decoder.h"

namespace trustformers {
namespace {

struct FirstQwenConfig : DecoderConfig {
  std::int64_t seq_length = 0;  // trained length; 0: max_position_embeddings
  std::int64_t kv_channels = 128;
  bool use_dynamic_ntk = true, use_logn_attn = true, no_bias = true;

  FirstQwenConfig() {
    max_position_embeddings = 8192;
    partial_rotary = true;
  }
  void fields(auto& v) {
    DecoderConfig::fields(v);
    v("seq_length", seq_length);
    v("kv_channels", kv_channels);
    v("use_dynamic_ntk", use_dynamic_ntk);
    v("use_logn_attn", use_logn_attn);
    v("no_bias", no_bias);
  }
  void finish(const Json& json, std::string_view where) {
    check(intermediate_size % 2 == 0, ErrorCode::parse, "[config] ", where,
          ": \"intermediate_size\" counts two matrices and must be even, got ", intermediate_size);
    intermediate_size /= 2;
    DecoderConfig::finish(json, where);
    attention_bias = true;
    mlp_bias = !no_bias;
    if (seq_length == 0) seq_length = max_position_embeddings;
    check(seq_length > 1, ErrorCode::parse, "[config] ", where, ": \"seq_length\" must be at least 2, got ",
          seq_length);
    check(kv_channels == head_dim, ErrorCode::unsupported, "[config] ", where, ": \"kv_channels\" must be the ",
          head_dim, " features of a head, got ", kv_channels);
    if (use_dynamic_ntk) max_position_embeddings = 0;  // made to go beyond
  }
};

/// What depends on how long the text is.
class LengthPolicies {
 public:
  explicit LengthPolicies(const FirstQwenConfig& c) : config_(c) {}

  void operator()(const ModelInputs& in, std::int64_t past, std::int64_t length, ForwardContext& context) {
    const std::int64_t prompt = past > 0 ? in.cache->prompt_length() : length;
    const std::vector<std::int64_t> factors = ntk_factors(in.attention_mask, prompt);
    std::vector<Tensor> cosines, sines;
    for (const std::int64_t factor : factors) {
      const RotaryEmbedding::Tables tables = rotation(factor).tables(past + length);
      cosines.push_back(slice(tables.cos, 0, past, past + length));
      sines.push_back(slice(tables.sin, 0, past, past + length));
    }
    // One table below the other, and each row of the batch reads its own.
    const auto rows = static_cast<std::int64_t>(factors.size());
    context.positions = reshape(consecutive_positions(0, rows * length), {rows, length});
    context.rotations = {{&rotation(1), {concat(cosines, 0), concat(sines, 0)}}};
    if (config_.use_logn_attn && past + length > config_.seq_length)
      context.query_scale = logarithmic_scale(past, length);
  }

 private:
  /// For the whole batch, or for each row where padding makes their lengths differ. The prompt decides: what it put
  /// into the cache was turned accordingly.
  std::vector<std::int64_t> ntk_factors(const Tensor& attention_mask, std::int64_t prompt) const {
    if (!config_.use_dynamic_ntk || prompt <= config_.seq_length) return {1};
    if (!attention_mask.defined()) return {ntk_factor(prompt)};
    std::vector<std::int64_t> factors;
    const std::vector<std::int64_t> seen = attention_mask.to_vector<std::int64_t>();
    for (std::int64_t b = 0; b < attention_mask.size(0); ++b) {
      const std::int64_t* row = seen.data() + b * attention_mask.size(1);
      factors.push_back(ntk_factor(std::count_if(row, row + prompt, [](std::int64_t s) { return s != 0; })));
    }
    return factors;
  }
  /// 1, 3, 7, ... for up to one, two, four, ... trained lengths.
  std::int64_t ntk_factor(std::int64_t length) const {
    std::int64_t factor = 1;
    for (std::int64_t reach = config_.seq_length; reach < length; reach *= 2) factor = 2 * factor + 1;
    return factor;
  }
  const RotaryEmbedding& rotation(std::int64_t factor) {
    const auto [at, fresh] = rotations_.try_emplace(factor);
    if (fresh) {
      RopeConfig rope = config_.rope;
      const auto features = std::floor(static_cast<double>(config_.head_dim) * rope.partial_rotary_factor);
      rope.theta *= std::pow(static_cast<double>(factor), features / (features - 2));
      at->second = RotaryEmbedding(rope, config_.head_dim, config_.seq_length);
    }
    return at->second;
  }
  /// log(n) / log(seq_length) for the n-th token where that is more than one.
  Tensor logarithmic_scale(std::int64_t past, std::int64_t length) const {
    Tensor out = Tensor::ones({1, 1, length, 1});
    float* data = out.mutable_data<float>();
    const double trained = std::log(static_cast<double>(config_.seq_length));
    for (std::int64_t i = 0; i < length; ++i)
      if (past + i + 1 > config_.seq_length)
        data[i] = static_cast<float>(std::log(static_cast<double>(past + i + 1)) / trained);
    return out;
  }

  FirstQwenConfig config_;
  std::map<std::int64_t, RotaryEmbedding> rotations_;
};

std::unique_ptr<Body> qwen_body(const Scope& scope, const FirstQwenConfig& c) {
  auto body = std::make_unique<Decoder>();
  body->tokens = Embedding(scope / "wte", c.vocab_size, c.hidden_size);
  body->prepare = [policies = std::make_shared<LengthPolicies>(c)](const ModelInputs& in, std::int64_t past,
                                                                   std::int64_t length, ForwardContext& context) {
    (*policies)(in, past, length, context);
  };
  for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) {
    const Scope layer = scope / "h" / i;
    SelfAttentionConfig attention = c.attention(i);
    attention.packing = SelfAttentionConfig::Packing::stacked;
    attention.names = {"c_attn"};
    attention.output_name = "c_proj";
    attention.output_bias = !c.no_bias;
    body->layers.push_back(
        {.attention_norm = RmsNorm(layer / "ln_1", c.hidden_size, c.norm_eps),
         .attention = std::make_unique<SelfAttention>(layer / "attn", attention),
         .mlp_norm = RmsNorm(layer / "ln_2", c.hidden_size, c.norm_eps),
         .mlp = gated_mlp(layer / "mlp", c.mlp(), c.activation(), {.gate = "w2", .up = "w1", .down = "c_proj"})});
  }
  body->norm = RmsNorm(scope / "ln_f", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_qwen(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<FirstQwenConfig>(json, where);
  root.parameters().ignore({"*.rotary_emb.inv_freq", "*.attn.masked_bias"});  // of old files
  return make_decoder(c, json, where, root, head, {.body = "transformer"}, false,
                      [&](const Scope& scope) { return qwen_body(scope, c); });
}

GgufArchitecture qwen_gguf() {
  GgufArchitecture g = gguf_decoder("qwen");
  g.names = {{"transformer.wte", "token_embd"},
             {"transformer.ln_f", "output_norm"},
             {"lm_head", "output"},
             {"transformer.h.#.ln_1", "blk.#.attn_norm"},
             {"transformer.h.#.attn.c_attn", "blk.#.attn_qkv"},
             {"transformer.h.#.attn.c_proj", "blk.#.attn_output"},
             {"transformer.h.#.ln_2", "blk.#.ffn_norm"},
             {"transformer.h.#.mlp.w1", "blk.#.ffn_up"},
             {"transformer.h.#.mlp.w2", "blk.#.ffn_gate"},
             {"transformer.h.#.mlp.c_proj", "blk.#.ffn_down"}};
  extend_gguf_config(g, [](const GgufMetadata& m, Json& c) {
    c.set("kv_channels", m.get_int("qwen.embedding_length") / m.get_int("qwen.attention.head_count"));
  });
  return g;
}

}  // namespace

Architecture qwen_architecture() {
  std::vector<ModelClass> classes = decoder_classes("QWen", make_qwen, {DecoderHead::none, DecoderHead::causal_lm});
  classes[1].name = "QWenLMHeadModel";
  return {.model_type = "qwen", .base_prefix = "transformer", .classes = std::move(classes), .gguf = qwen_gguf()};
}

}  // namespace trustformers
