#include <cmath>
#include <cstring>

#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"
#include "../tensor/device.h"
#include "architectures.h"

namespace trustformers {

namespace {

/// part / whole, rounded so that whole · share, cut to an integer, is `part` again.
double share_of(std::int64_t part, std::int64_t whole) {
  const double share = static_cast<double>(part) / static_cast<double>(whole);
  const bool lost = static_cast<std::int64_t>(share * static_cast<double>(whole)) < part;
  return lost ? std::nextafter(share, 2.0) : share;
}

}  // namespace

Json gguf_decoder_config(const GgufMetadata& m, std::string_view architecture, std::string_view model_type) {
  const std::string a(architecture);
  Json c = Json::object();
  c.set("model_type", Json(model_type));
  const std::int64_t heads = m.get_int(a + ".attention.head_count"), hidden = m.get_int(a + ".embedding_length");
  const std::int64_t width = m.get_int(a + ".attention.key_length", heads > 0 ? hidden / heads : 0);
  const std::int64_t turned = m.get_int(a + ".rope.dimension_count", width);
  check(turned >= 0 && turned <= width + 1, ErrorCode::parse, "[gguf] ", a, ".rope.dimension_count: ", turned,
        " of the ", width, " features of a head");
  check(heads > 0 && hidden > 0 && width > 0, ErrorCode::parse, "[gguf] ", a, ": ", heads, " heads of ", width,
        " features in a width of ", hidden, " cannot be");
  c.set("hidden_size", Json(hidden));
  c.set("num_hidden_layers", Json(m.get_int(a + ".block_count")));
  c.set("num_attention_heads", Json(heads));
  c.set("num_key_value_heads", Json(m.get_int(a + ".attention.head_count_kv", heads)));
  c.set("max_position_embeddings", Json(m.get_int(a + ".context_length")));
  c.set("intermediate_size", Json(m.get_int(a + ".feed_forward_length")));
  for (const std::string norm : {"layer_norm_rms", "layer_norm"})
    if (const std::string key = str(a, ".attention.", norm, "_epsilon"); m.contains(key))
      c.set(norm == "layer_norm" ? "layer_norm_eps" : "rms_norm_eps", Json(m.get_double(key)));
  if (m.get_int(a + ".expert_count", 0) > 0) {
    c.set("num_local_experts", Json(m.get_int(a + ".expert_count")));
    c.set("num_experts_per_tok", Json(m.get_int(a + ".expert_used_count")));
    if (m.contains(a + ".expert_feed_forward_length"))
      c.set("moe_intermediate_size", Json(m.get_int(a + ".expert_feed_forward_length")));
  }
  if (m.contains(a + ".attention.key_length")) c.set("head_dim", Json(m.get_int(a + ".attention.key_length")));
  Json rope = Json::object();
  rope.set("rope_type", Json("default"));
  rope.set("rope_theta", Json(m.get_double(a + ".rope.freq_base", 10000)));
  if (m.contains(a + ".rope.dimension_count")) {
    rope.set("partial_rotary_factor", Json(share_of(turned, width)));
  }
  if (m.contains(a + ".rope.scaling.type")) {
    rope.set(
        "rope_type",
        Json(m.get_string(a + ".rope.scaling.type") == "none" ? "default" : m.get_string(a + ".rope.scaling.type")));
    rope.set("factor", Json(m.get_double(a + ".rope.scaling.factor", 1)));
    if (m.contains(a + ".rope.scaling.original_context_length"))
      rope.set("original_max_position_embeddings", Json(m.get_int(a + ".rope.scaling.original_context_length")));
  }
  c.set("rope_parameters", std::move(rope));
  const std::pair<std::string_view, std::string> tokens[] = {{"bos_token_id", "tokenizer.ggml.bos_token_id"},
                                                             {"eos_token_id", "tokenizer.ggml.eos_token_id"},
                                                             {"pad_token_id", "tokenizer.ggml.padding_token_id"}};
  for (const auto& [ours, theirs] : tokens)
    if (m.contains(theirs)) c.set(ours, Json(m.get_int(theirs)));
  return c;
}

std::vector<GgufName> gguf_decoder_names() {
  return {{"model.embed_tokens", "token_embd"},
          {"model.norm", "output_norm"},
          {"lm_head", "output"},
          {"model.layers.#.input_layernorm", "blk.#.attn_norm"},
          {"model.layers.#.self_attn.q_proj", "blk.#.attn_q"},
          {"model.layers.#.self_attn.k_proj", "blk.#.attn_k"},
          {"model.layers.#.self_attn.v_proj", "blk.#.attn_v"},
          {"model.layers.#.self_attn.o_proj", "blk.#.attn_output"},
          {"model.layers.#.self_attn.q_norm", "blk.#.attn_q_norm"},
          {"model.layers.#.self_attn.k_norm", "blk.#.attn_k_norm"},
          {"model.layers.#.post_attention_layernorm", "blk.#.ffn_norm"},
          {"model.layers.#.mlp.gate_proj", "blk.#.ffn_gate"},
          {"model.layers.#.mlp.up_proj", "blk.#.ffn_up"},
          {"model.layers.#.mlp.down_proj", "blk.#.ffn_down"}};
}

GgufArchitecture gguf_decoder(std::string_view name, std::string_view model_type) {
  GgufArchitecture g{.name = name, .config = {}, .names = gguf_decoder_names()};
  g.config = [name, model_type = model_type.empty() ? name : model_type](const GgufMetadata& m) {
    return gguf_decoder_config(m, name, model_type);
  };
  return g;
}

void extend_gguf_config(GgufArchitecture& table, std::function<void(const GgufMetadata&, Json&)> more) {
  table.config = [made = std::move(table.config), more = std::move(more)](const GgufMetadata& m) {
    Json c = made(m);
    more(m, c);
    return c;
  };
}

void pair_gguf_heads(GgufArchitecture& table) {
  for (GgufName& row : table.names) {
    const bool query = row.theirs == "blk.#.attn_q";
    if (!query && row.theirs != "blk.#.attn_k") continue;
    row.transform = [key = query ? "num_attention_heads" : "num_key_value_heads"](const Json& config) {
      return [heads = config.at(key).as_int(key)](const Tensor& t) { return permute_rows_from_pairs(t, heads); };
    };
  }
}

void set_gguf_windows(const GgufMetadata& m, std::string_view architecture, Json& config) {
  const std::string key = std::string(architecture) + ".attention.sliding_window";
  config.set("sliding_window", m.contains(key) ? Json(m.get_int(key)) : Json());
  const GgufValue* pattern = m.find(key + "_pattern");
  if (!pattern || !pattern->is_array()) return;
  Json::Array types;
  for (const bool local : pattern->as_bools()) types.emplace_back(local ? "sliding_attention" : "full_attention");
  config.set("layer_types", Json(std::move(types)));
}

void set_gguf_long_rope(const WeightSource& source, Json& config) {
  if (!source.find("rope_factors_long.weight")) return;
  Json rope = config.at("rope_parameters");
  rope.set("rope_type", Json("longrope"));
  for (const std::string kind : {"short", "long"}) {
    Json::Array factors;
    for (const double f : cast(source.load("rope_factors_" + kind + ".weight"), DType::f32).to_vector<double>())
      factors.emplace_back(f);
    rope.set(kind + "_factor", Json(std::move(factors)));
  }
  config.set("rope_parameters", std::move(rope));
}

void set_granite_scales(const GgufMetadata& m, const std::string& architecture, Json& config) {
  config.set("attention_multiplier", m.get_double(architecture + ".attention.scale"));
  config.set("embedding_multiplier", m.get_double(architecture + ".embedding_scale", 1));
  config.set("residual_multiplier", m.get_double(architecture + ".residual_scale", 1));
  config.set("logits_scaling", m.get_double(architecture + ".logit_scale", 1));
}

void add_gguf_experts(GgufArchitecture& table, std::string_view router, std::string_view experts) {
  table.names.push_back({std::string(router), "blk.#.ffn_gate_inp"});
  for (const auto& [ours, theirs] :
       {std::pair{".gate_proj", "blk.#.ffn_gate_exps"}, std::pair{".up_proj", "blk.#.ffn_up_exps"},
        std::pair{".down_proj", "blk.#.ffn_down_exps"}})
    table.names.push_back({std::string(experts) + ours, theirs});
}

void set_gguf_name(GgufArchitecture& table, std::string_view ours, std::string_view theirs) {
  std::erase_if(table.names, [&](const GgufName& row) { return row.ours == ours && row.theirs != theirs; });
  for (GgufName& row : table.names)
    if (row.theirs == theirs) {
      row.ours = ours;
      return;
    }
  table.names.push_back({std::string(ours), std::string(theirs)});
}

void shift_gguf_norms(GgufArchitecture& table) {
  for (GgufName& row : table.names)
    if (row.theirs.ends_with("norm")) {
      row.transform = [](const Json&) { return [](const Tensor& t) { return cast(t, DType::f32) - 1.0; }; };
      row.transforms_bias = false;
    }
}

Tensor swap_matrix(const Tensor& t) {
  if (t.rank() != 2) return t;
  return make_view(t, {t.size(1), t.size(0)}, {t.strides()[1], t.strides()[0]}, t.impl().offset);
}

Tensor permute_rows_from_pairs(const Tensor& t, std::int64_t heads) {
  const std::int64_t rows = t.size(0);
  check(heads > 0 && rows % (2 * heads) == 0, ErrorCode::shape_mismatch, "[gguf] ", describe(t),
        " does not split into ", heads, " heads of pairs");
  const std::int64_t half = rows / heads / 2;
  const std::int64_t row_elements = t.rank() == 1 ? 1 : t.size(1);
  const auto row_bytes = static_cast<std::size_t>(byte_size(t.dtype(), row_elements));
  Tensor out = Tensor::empty(t.shape(), t.dtype(), &t.device());
  const std::byte* from = t.raw();
  std::byte* to = out.mutable_raw();
  for (std::int64_t h = 0; h < heads; ++h)
    for (std::int64_t i = 0; i < half; ++i)
      for (std::int64_t part = 0; part < 2; ++part)
        std::memcpy(to + static_cast<std::size_t>(h * 2 * half + part * half + i) * row_bytes,
                    from + static_cast<std::size_t>(h * 2 * half + 2 * i + part) * row_bytes, row_bytes);
  return out;
}

Tensor group_rows_by_key_head(const Tensor& t, std::int64_t heads, std::int64_t kv_heads) {
  const std::int64_t rows = t.size(0);
  check(kv_heads > 0 && heads % kv_heads == 0 && rows % (heads + 2 * kv_heads) == 0, ErrorCode::shape_mismatch,
        "[gguf] ", describe(t), " does not split into ", heads, " query heads and ", kv_heads, " key heads");
  const std::int64_t head_rows = rows / (heads + 2 * kv_heads);
  const std::int64_t row_elements = t.rank() == 1 ? 1 : t.size(1);
  const auto head_bytes =
      static_cast<std::size_t>(head_rows) * static_cast<std::size_t>(byte_size(t.dtype(), row_elements));
  Tensor out = Tensor::empty(t.shape(), t.dtype(), &t.device());
  const std::byte* from = t.raw();
  std::byte* to = out.mutable_raw();
  const auto copy = [&](std::int64_t first, std::int64_t count) {
    const std::size_t bytes = static_cast<std::size_t>(count) * head_bytes;
    std::memcpy(to, from + static_cast<std::size_t>(first) * head_bytes, bytes);
    to += bytes;
  };
  const std::int64_t group = heads / kv_heads;
  for (std::int64_t k = 0; k < kv_heads; ++k) {
    copy(k * group, group);
    copy(heads + k, 1);
    copy(heads + kv_heads + k, 1);
  }
  return out;
}

GgufTransform gguf_grouped_projection() {
  return [](const Json& config) {
    const std::int64_t heads = config.at("num_attention_heads").as_int("num_attention_heads");
    return [heads](const Tensor& t) { return group_rows_by_key_head(t, heads, heads); };
  };
}

}  // namespace trustformers
