#include "decoder.h"

#include <algorithm>
#include <array>

#include "../ops/elementwise/binary.h"

namespace trustformers {

void DecoderConfig::finish(const Json& json, std::string_view where) {
  check(intermediate_size > 0, ErrorCode::parse, "[config] ", where, ": \"", spelled("intermediate_size"),
        "\" must be a positive number, got ", intermediate_size);
  if (num_key_value_heads == 0) num_key_value_heads = num_attention_heads;
  check(num_key_value_heads > 0 && num_attention_heads % num_key_value_heads == 0, ErrorCode::parse, "[config] ", where,
        ": \"", spelled("num_attention_heads"), "\" ", num_attention_heads, " is no multiple of \"",
        spelled("num_key_value_heads"), "\" ", num_key_value_heads);
  check(head_dim >= 0, ErrorCode::parse, "[config] ", where, ": \"head_dim\" must be positive, got ", head_dim);
  if (head_dim == 0) {
    check(hidden_size >= num_attention_heads, ErrorCode::parse, "[config] ", where, ": \"", spelled("hidden_size"),
          "\" ", hidden_size, " does not split into \"", spelled("num_attention_heads"), "\" ", num_attention_heads);
    head_dim = hidden_size / num_attention_heads;
  }
  check(layer_types.empty() || static_cast<std::int64_t>(layer_types.size()) == num_hidden_layers, ErrorCode::parse,
        "[config] ", where, ": \"layer_types\" names ", layer_types.size(), " layers, \"", spelled("num_hidden_layers"),
        "\" is ", num_hidden_layers);
  rope = RopeConfig::parse(json, where, rope);
  if (!partial_rotary) rope.partial_rotary_factor = 1;
}

void DecoderConfig::alternate_layer_types(std::int64_t period) {
  if (!layer_types.empty()) return;
  for (std::int64_t i = 0; i < num_hidden_layers; ++i)
    layer_types.emplace_back((i + 1) % period == 0 ? "full_attention" : "sliding_attention");
}

bool DecoderConfig::is_sliding(std::int64_t i) const {
  const std::string& type = layer_types.at(static_cast<std::size_t>(i));
  check(type == "full_attention" || type == "sliding_attention", ErrorCode::unsupported,
        "[config] \"layer_types\": layer ", i, " is of the type \"", type, "\"");
  return type == "sliding_attention";
}

std::int64_t DecoderConfig::window_of(std::int64_t i) const {
  return layer_types.empty() || is_sliding(i) ? sliding_window : 0;
}

SelfAttentionConfig DecoderConfig::attention(std::int64_t i) const {
  return {.hidden_size = hidden_size,
          .heads = num_attention_heads,
          .kv_heads = num_key_value_heads,
          .head_dim = head_dim,
          .layer = i,
          .bias = attention_bias,
          .output_bias = attention_bias,
          .window = window_of(i)};
}

Tensor DecoderBlock::operator()(const Tensor& x, const ForwardContext& context) const {
  const bool cross = cross_attention && context.encoder_states.defined();
  if (layout == Layout::post_norm) {
    Tensor h = attention_norm(x + (*attention)(x, context));
    if (cross) h = cross_norm(h + (*cross_attention)(h, context));
    return mlp_norm(h + (*mlp)(h));
  }
  if (layout == Layout::residual_from_norm) {
    const Tensor n = attention_norm(x);
    const Tensor m = mlp_norm(n + (*attention)(n, context));
    return m + (*mlp)(m);
  }
  const auto scaled = [&](const Tensor& branch) { return residual_scale == 1 ? branch : branch * residual_scale; };
  const Tensor normed = attention_norm(x);
  Tensor h = x + scaled(attention_post_norm((*attention)(normed, context)));
  if (layout == Layout::parallel) return h + scaled((*mlp)(mlp_norm ? mlp_norm(x) : normed));
  if (cross) h = h + (*cross_attention)(cross_norm(h), context);
  return h + scaled(mlp_post_norm(mlp->routed(mlp_norm(h), context.router_logits)));
}

Tensor key_positions(const Tensor& attention_mask, std::int64_t keys) {
  return attention_mask.defined() ? positions_from_mask(attention_mask, keys) : consecutive_positions(0, keys);
}

Tensor Decoder::embed(const ModelInputs& in, const Tensor& at) const {
  const auto looked_up = [&](const Tensor& ids) {
    const Tensor x = tokens(ids);
    return embedding_scale == 1 ? x : x * embedding_scale;
  };
  Tensor x = !in.inputs_embeds.defined()                       ? looked_up(in.input_ids)
             : scales_given_embeddings && embedding_scale != 1 ? in.inputs_embeds * embedding_scale
                                                               : in.inputs_embeds;
  if (project_in) x = (*project_in)(x);
  if (positions) x = x + positions(position_offset == 0 ? at : at + double(position_offset));
  if (computed_positions) x = x + computed_positions(at);
  if (token_types && in.token_type_ids.defined()) x = x + looked_up(in.token_type_ids);
  return embedding_norm(x);
}

namespace {

/// Long-rope models turn by other tables once the text outgrows their first context, and keys turned before are void
/// then. So the cache keeps in `slot` what each position came with: its input [B, 1, S, D], its number and its set of
/// tables [B, 1, S, 2]. When a past set is not `long_set`, the cache is emptied, x and `at` become those of all
/// positions, and the answer is true.
bool starts_again(Tensor& x, Tensor& at, bool long_set, AttentionCache& cache, std::size_t slot) {
  const auto labels = [&] {
    const Tensor numbers = expand(at, {x.size(0), x.size(1)});
    return unsqueeze(stack(std::array{numbers, Tensor::full(numbers.shape(), long_set, DType::i64)}, 2), 1);
  };
  const auto all = cache.update(slot, unsqueeze(x, 1), labels());
  const std::vector<std::int64_t> sets = select(all.values, 3, 1).to_vector<std::int64_t>();
  if (std::all_of(sets.begin(), sets.end(), [&](std::int64_t set) { return set == std::int64_t{long_set}; }))
    return false;
  x = contiguous(select(all.keys, 1, 0));
  at = contiguous(select(select(all.values, 3, 0), 1, 0));
  cache.clear();
  cache.update(slot, unsqueeze(x, 1), labels());
  return true;
}

}  // namespace

namespace {

/// [B, 1, 1 or L, S]: what is added to the scores instead of masks, so large that scores vanish in it: for padding and,
/// when `later` is asked for, less for keys after the last `length` queries.
Tensor hiding_numbers(const Tensor& attention_mask, std::int64_t length, bool later) {
  const std::int64_t batch = attention_mask.size(0), keys = attention_mask.size(1), rows = later ? length : 1;
  const std::vector<std::uint8_t> seen = attention_mask.to_vector<std::uint8_t>();
  Tensor out = Tensor::zeros({batch, 1, rows, keys});
  float* data = out.mutable_data<float>();
  for (std::int64_t b = 0; b < batch; ++b)
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t s = 0; s < keys; ++s, ++data)
        *data = seen[static_cast<std::size_t>(b * keys + s)] == 0 ? Decoder::padding_score
                : later && s > keys - length + i                  ? -1e15F
                                                                  : 0;
  return out;
}

}  // namespace

bool Decoder::mixes_lengths() const {
  const auto follows = [](const RotaryEmbedding& rotation) { return rotation.follows_length(); };
  return !prepare && std::none_of(rotations.begin(), rotations.end(), follows);
}

ModelOutput Decoder::forward(const ModelInputs& in) const {
  ModelOutput out;
  std::int64_t past = in.cache ? in.cache->length() : 0;
  const std::int64_t length = (in.inputs_embeds.defined() ? in.inputs_embeds : in.input_ids).size(1);
  const Tensor seen = self_key_mask(in);
  const bool counted = positions_skip_padding && in.attention_mask.defined();
  Tensor at = in.position_ids.defined() ? in.position_ids
              : counted                 ? positions_from_mask(in.attention_mask, length, -1)
                                        : next_positions(in.cache, length);
  Tensor x = embed(in, at);
  if (in.cache && !rotations.empty() && rotations[0].has_long_set() &&
      starts_again(x, at, rotations[0].takes_long_set(positions_needed(at)), *in.cache, layers.size()))
    past = 0;
  ForwardContext context{.positions = at,
                         .key_mask = seen,
                         .bias = score_bias ? score_bias(in.attention_mask, past + x.size(1)) : Tensor(),
                         .encoder_states = in.encoder_hidden_states,
                         .encoder_mask = cross_key_mask(in),
                         .cache = in.cache,
                         .past = past,
                         .router_logits = in.output_router_logits ? &out.router_logits : nullptr,
                         .rotations = {}};
  for (const RotaryEmbedding& rotation : rotations)
    context.rotations.push_back({&rotation, rotation.tables(positions_needed(context.positions))});
  if (blind_sees != BlindSees::everything && context.key_mask.defined()) {
    context.ordered_by_bias = blind_sees == BlindSees::later_tokens;
    context.bias = hiding_numbers(in.attention_mask, x.size(1), context.ordered_by_bias);
    context.key_mask = Tensor();
  }
  if (prepare) prepare(in, past, x.size(1), context);
  for (const DecoderBlock& layer : layers) {
    if (in.output_hidden_states) out.hidden_states.push_back(x);
    x = layer(x, context);
  }
  out.last_hidden_state = norm(x);
  if (project_out) out.last_hidden_state = (*project_out)(out.last_hidden_state);
  if (in.output_hidden_states) out.hidden_states.push_back(out.last_hidden_state);
  if (x.size(1) > length) {  // started again: the caller asked for the end only
    out.last_hidden_state = contiguous(slice(out.last_hidden_state, 1, -length));
    for (Tensor& states : out.hidden_states) states = contiguous(slice(states, 1, -length));
  }
  return out;
}

std::unique_ptr<Decoder> stacked_decoder(const Scope& scope, const DecoderConfig& c,
                                         const std::function<DecoderBlock(const Scope&, std::int64_t)>& block) {
  auto body = std::make_unique<Decoder>();
  body->tokens = Embedding(scope / "embed_tokens", c.vocab_size, c.hidden_size, c.pad_token_id);
  body->rotations = {RotaryEmbedding(c.rope, c.head_dim, c.max_position_embeddings, c.rope_interleaved)};
  for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) body->layers.push_back(block(scope / "layers" / i, i));
  return body;
}

DecoderBlock llama_block(const Scope& layer, const DecoderConfig& c, const SelfAttentionConfig& attention) {
  return {.attention_norm = RmsNorm(layer / "input_layernorm", c.hidden_size, c.norm_eps),
          .attention = std::make_unique<SelfAttention>(layer / "self_attn", attention),
          .mlp_norm = RmsNorm(layer / "post_attention_layernorm", c.hidden_size, c.norm_eps),
          .mlp = gated_mlp(layer / "mlp", c.mlp(), c.activation())};
}

std::unique_ptr<Model> make_decoder(const DecoderConfig& config, const Json& json, std::string_view where,
                                    const Scope& root, DecoderHead head, const DecoderHeads& heads, bool tied,
                                    const MakeBody& make_body) {
  CommonConfig common = CommonConfig::parse(json, where, tied);
  // dynamic scaling is made to go beyond the trained context
  common.max_position_embeddings = config.rope.type == "dynamic" ? 0 : config.max_position_embeddings;
  DecoderHeads named = heads;
  named.token_head_bias = heads.token_head_bias && config.token_classification_bias;
  return std::make_unique<DecoderModel>(std::move(common), root, named, head, make_body);
}

std::vector<ModelClass> decoder_classes(std::string_view prefix, MakeDecoder make,
                                        std::initializer_list<DecoderHead> heads) {
  const auto suffix = [](DecoderHead head) -> std::pair<std::string_view, Task> {
    switch (head) {
      case DecoderHead::none: break;
      case DecoderHead::causal_lm: return {"ForCausalLM", Task::causal_lm};
      case DecoderHead::sequence_classification: return {"ForSequenceClassification", Task::sequence_classification};
      case DecoderHead::token_classification: return {"ForTokenClassification", Task::token_classification};
      case DecoderHead::question_answering: return {"ForQuestionAnswering", Task::question_answering};
    }
    return {"Model", Task::base};
  };
  std::vector<ModelClass> classes;
  for (const DecoderHead head : heads) {
    const auto [name, task] = suffix(head);
    classes.push_back({std::string(prefix) + std::string(name), task,
                       [make, head](const Json& config, std::string_view where, const Scope& root) {
                         return make(config, where, root, head);
                       }});
  }
  return classes;
}

}  // namespace trustformers
