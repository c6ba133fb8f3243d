// Llama 4's language model (Meta 2025): attention in chunks, with layers between that see everything but no positions,
// and experts that get their input already weighted.
#include "moe_decoder.h"

namespace trustformers {
namespace {

struct Llama4Config : MoeDecoderConfig {
  std::int64_t intermediate_size_mlp = 16384, interleave_moe_layer_step = 1, no_rope_layer_interval = 4;
  std::int64_t attention_chunk_size = 8192, floor_scale = 8192;
  std::optional<std::vector<std::int64_t>> moe_layers;
  std::vector<std::int64_t> no_rope_layers;  // 1: the layer rotates queries and keys
  bool use_qk_norm = true, attn_temperature_tuning = true;
  double attn_scale = 0.1;
  std::vector<std::string> attention_types;  // of each layer: "chunked_attention" or "full_attention"

  Llama4Config() {
    norm_eps = 1e-5;
    max_position_embeddings = 4096 * 32;
    num_key_value_heads = 8;
    head_dim = 128;
    rope.theta = 500000;
    rope_interleaved = true;
  }
  void fields(auto& v) {
    MoeDecoderConfig::fields(v);
    v("intermediate_size_mlp", intermediate_size_mlp);
    v("moe_layers", moe_layers);
    v("interleave_moe_layer_step", interleave_moe_layer_step);
    v("no_rope_layers", no_rope_layers);
    v("no_rope_layer_interval", no_rope_layer_interval);
    v("attention_chunk_size", attention_chunk_size);
    v("use_qk_norm", use_qk_norm);
    v("attn_temperature_tuning", attn_temperature_tuning);
    v("attn_scale", attn_scale);
    v("floor_scale", floor_scale);
  }
  void finish(const Json& json, std::string_view where) {
    const std::pair<std::string_view, std::int64_t> counts[] = {
        {"intermediate_size_mlp", intermediate_size_mlp},
        {"interleave_moe_layer_step", interleave_moe_layer_step},
        {"no_rope_layer_interval", no_rope_layer_interval},
        {"attention_chunk_size", attention_chunk_size},
        {"floor_scale", floor_scale}};
    for (const auto& [key, count] : counts)
      check(count > 0, ErrorCode::parse, "[config] ", where, ": \"", key, "\" must be a positive number, got ", count);
    if (no_rope_layers.empty())
      for (std::int64_t i = 0; i < num_hidden_layers; ++i)
        no_rope_layers.push_back((i + 1) % no_rope_layer_interval != 0);
    check(static_cast<std::int64_t>(no_rope_layers.size()) >= num_hidden_layers, ErrorCode::parse, "[config] ", where,
          ": \"no_rope_layers\" names ", no_rope_layers.size(), " layers, \"num_hidden_layers\" is ",
          num_hidden_layers);
    if (layer_types.empty())
      for (std::int64_t i = 0; i < num_hidden_layers; ++i)
        layer_types.emplace_back(rotates(i) ? "chunked_attention" : "full_attention");
    sliding_window = 0;
    output_router_logits = false;  // there is no balancing loss
    MoeDecoderConfig::finish(json, where);
    attention_types.swap(layer_types);  // none of them is a window
  }

  bool rotates(std::int64_t i) const { return no_rope_layers[static_cast<std::size_t>(i)] != 0; }
  bool sparse(std::int64_t i) const {
    return moe_layers ? std::find(moe_layers->begin(), moe_layers->end(), i) != moe_layers->end()
                      : (i + 1) % interleave_moe_layer_step == 0;
  }
  SelfAttentionConfig attention(std::int64_t i) const {
    SelfAttentionConfig out = MoeDecoderConfig::attention(i);
    if (attention_types[static_cast<std::size_t>(i)] == "chunked_attention") out.chunk = attention_chunk_size;
    if (!rotates(i)) {
      out.rotation = {};
      out.temperature_tuning = attn_temperature_tuning ? attn_scale : 0;
      out.temperature_interval = floor_scale;
    } else if (use_qk_norm) {
      out.norm_after_rotation = true;
      out.q_norm = out.k_norm = RmsNorm::plain(norm_eps);
    }
    return out;
  }
};

std::unique_ptr<FeedForward> mixture(const Scope& scope, const Llama4Config& c) {
  MoeConfig moe{.router = c.router(), .experts = c.expert(), .weigh_inputs = true};
  moe.router.scoring = RouterConfig::Scoring::sigmoid;
  moe.router.renormalise = false;
  moe.experts.stored = ExpertsConfig::Stored::stacked_input_major;
  return mixture_of_experts(scope / "router", scope / "experts", moe,
                            {.mlp = gated_mlp(scope / "shared_expert", c.mlp(), c.activation())});
}

std::unique_ptr<Body> llama4_body(const Scope& scope, const Llama4Config& c) {
  const MlpShape dense{c.hidden_size, c.intermediate_size_mlp};
  auto body = stacked_decoder(scope, c, [&](const Scope& layer, std::int64_t i) -> DecoderBlock {
    const Scope mlp = layer / "feed_forward";
    return {.attention_norm = RmsNorm(layer / "input_layernorm", c.hidden_size, c.norm_eps),
            .attention = std::make_unique<SelfAttention>(layer / "self_attn", c.attention(i)),
            .mlp_norm = RmsNorm(layer / "post_attention_layernorm", c.hidden_size, c.norm_eps),
            .mlp = c.sparse(i) ? mixture(mlp, c) : gated_mlp(mlp, dense, c.activation())};
  });
  body->norm = RmsNorm(scope / "norm", c.hidden_size, c.norm_eps);
  return body;
}

std::unique_ptr<Model> make_llama4_text(const Json& json, std::string_view where, const Scope& root, DecoderHead head) {
  const auto c = read_decoder_config<Llama4Config>(json, where);
  return make_decoder(c, json, where, root, head, {}, false, [&](const Scope& scope) { return llama4_body(scope, c); });
}

/// Chunks, temperatures and which layers know positions are not in the file: those of the published models.
GgufArchitecture llama4_gguf() {
  GgufArchitecture g = gguf_decoder("llama4", "llama4_text");
  set_gguf_name(g, "model.layers.#.feed_forward.gate_proj", "blk.#.ffn_gate");
  set_gguf_name(g, "model.layers.#.feed_forward.up_proj", "blk.#.ffn_up");
  set_gguf_name(g, "model.layers.#.feed_forward.down_proj", "blk.#.ffn_down");
  add_gguf_experts(g, "model.layers.#.feed_forward.router", "model.layers.#.feed_forward.experts");
  g.names.push_back({"model.layers.#.feed_forward.shared_expert.gate_proj", "blk.#.ffn_gate_shexp"});
  g.names.push_back({"model.layers.#.feed_forward.shared_expert.up_proj", "blk.#.ffn_up_shexp"});
  g.names.push_back({"model.layers.#.feed_forward.shared_expert.down_proj", "blk.#.ffn_down_shexp"});
  extend_gguf_config(g, [](const GgufMetadata& m, Json& c) {
    c.set("intermediate_size", m.get_int("llama4.expert_feed_forward_length"));
    c.set("intermediate_size_mlp", m.get_int("llama4.feed_forward_length"));
    c.set("interleave_moe_layer_step", m.get_int("llama4.interleave_moe_layer_step", 1));
  });
  return g;
}

}  // namespace

Architecture llama4_text_architecture() {
  std::vector<ModelClass> classes =
      decoder_classes("Llama4", make_llama4_text, {DecoderHead::none, DecoderHead::causal_lm});
  classes[0].name = "Llama4TextModel";
  return {.model_type = "llama4_text", .base_prefix = "model", .classes = std::move(classes), .gguf = llama4_gguf()};
}

}  // namespace trustformers
