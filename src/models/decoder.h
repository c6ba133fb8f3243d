// The decoder that most language models are: embeddings, a stack of blocks, a final norm. A model file says which
// policies its blocks are composed from.
#pragma once

#include <functional>

#include "../nn/feed_forward.h"
#include "../nn/self_attention.h"
#include "architectures.h"
#include "heads.h"

namespace trustformers {

/// The keys of config.json that decoders share, in all their spellings. A model derives from it, sets its defaults in
/// its constructor, lists its own keys in `fields` after these, and says in `finish` what they imply.
struct DecoderConfig {
  std::int64_t vocab_size = 0, hidden_size = 0, intermediate_size = 0;
  std::int64_t num_hidden_layers = 0, num_attention_heads = 0;
  std::int64_t num_key_value_heads = 0;  // 0: as many as query heads
  std::int64_t head_dim = 0;             // 0: hidden_size / num_attention_heads
  std::int64_t max_position_embeddings = 2048;
  std::optional<std::int64_t> pad_token_id;
  std::string hidden_act = "silu";
  double norm_eps = 1e-6;
  bool attention_bias = false, mlp_bias = false, token_classification_bias = true;
  std::int64_t sliding_window = 0;       // 0: none
  std::vector<std::string> layer_types;  // of each layer: "full_attention", "sliding_attention", ...
  RopeConfig rope;                       // before `finish`: the model's defaults
  bool rope_interleaved = false;         // as RopeAttrs
  bool partial_rotary = false;           // the model hears "partial_rotary_factor"
  KeySpellings spelled;

  void fields(auto& v) {
    v.size("vocab_size", vocab_size);
    v.size("hidden_size", hidden_size, {"n_embd", "d_model", "n_embed"});
    v("intermediate_size", intermediate_size, {"n_inner", "ffn_dim", "ffn_hidden_size", "dff"});
    v.size("num_hidden_layers", num_hidden_layers, {"n_layer", "n_layers", "num_layers"});
    v.size("num_attention_heads", num_attention_heads, {"n_head", "n_heads", "num_heads", "attention_heads"});
    v.nullable("num_key_value_heads", num_key_value_heads, {"num_kv_heads", "n_head_kv"});
    v.nullable("head_dim", head_dim);
    v("max_position_embeddings", max_position_embeddings, {"n_positions", "n_ctx", "max_seq_len", "seq_length"});
    v("pad_token_id", pad_token_id);
    v("hidden_act", hidden_act, {"activation_function", "hidden_activation", "activation", "afn"});
    v("rms_norm_eps", norm_eps, {"layer_norm_eps", "layer_norm_epsilon", "norm_eps", "norm_epsilon"});
    v("attention_bias", attention_bias);
    v("mlp_bias", mlp_bias);
    v("token_classification_bias", token_classification_bias);
  }
  /// The keys of models with local layers; others must not hear them, because old files carry them without meaning.
  void window_fields(auto& v) {
    v.nullable("sliding_window", sliding_window);
    v("layer_types", layer_types);
  }
  /// Fills what follows from the keys, and checks it.
  void finish(const Json& json, std::string_view where);

  ActivationFunction activation() const { return ActivationFunction::parse(hidden_act, spelled("hidden_act")); }
  /// When the config lists no layer_types: every `period`-th layer is full, the others slide.
  void alternate_layer_types(std::int64_t period);
  /// True when layer `i` is of the type "sliding_attention"; unsupported when it is neither that nor "full_attention".
  bool is_sliding(std::int64_t i) const;
  /// The window of layer `i` by its type, of every layer when there are no types; 0: none.
  std::int64_t window_of(std::int64_t i) const;
  /// Sizes and biases of attention layer `i`.
  SelfAttentionConfig attention(std::int64_t i) const;
  /// Sizes and biases of a feed-forward layer.
  MlpShape mlp() const { return {hidden_size, intermediate_size, mlp_bias}; }
};

/// Reads a config that derives from DecoderConfig.
template <class Config>
Config read_decoder_config(const Json& json, std::string_view where) {
  auto config = read_config<Config>(json, where);
  config.finish(json, where);
  return config;
}

/// A block: attention and feed-forward, between them maybe attention to an encoder, each with norms before or after,
/// joined by residuals.
struct DecoderBlock {
  enum class Layout {
    pre_norm,            // h = x + attention(norm(x)), h + mlp(norm(h))
    post_norm,           // h = norm(x + attention(x)), norm(h + mlp(h))
    residual_from_norm,  // n = norm(x), h = n + attention(n), m = norm(h), m + mlp(m)
    parallel             // x + attention(norm(x)) + mlp(norm(x)), the second norm being the first where it is none
  };
  Norm attention_norm;
  std::unique_ptr<TokenMixer> attention;
  Norm attention_post_norm = {};  // of the branch, before the residual
  Norm mlp_norm = {};
  std::unique_ptr<FeedForward> mlp;
  Norm mlp_post_norm = {};
  Layout layout = Layout::pre_norm;
  double residual_scale = 1;  // of both branches
  Norm cross_norm = {};
  std::unique_ptr<TokenMixer> cross_attention = {};  // skipped without an encoder's states; not in parallel blocks

  Tensor operator()(const Tensor& x, const ForwardContext& context) const;
};

/// Embeddings, blocks, final norm. Undefined parts are left out.
class Decoder final : public Body {
 public:
  Embedding tokens;
  double embedding_scale = 1;
  bool scales_given_embeddings = true;    // inputs_embeds too, not only what `tokens` gives
  std::optional<Linear> project_in = {};  // from the width of `tokens`
  Embedding positions = {};               // learned, read at position + position_offset
  std::int64_t position_offset = 0;
  std::function<Tensor(const Tensor& positions)> computed_positions = {};  // vectors to add, instead of learned ones
  bool positions_skip_padding = false;  // positions that are not given count the mask's tokens; -1 for padding (OPT)
  bool token_types = false;             // token_type_ids are looked up in `tokens` and added (GPT)
  Norm embedding_norm = {};
  std::vector<RotaryEmbedding> rotations = {};
  /// What is added to the attention scores of all layers (ALiBi), from the attention mask [B, S], undefined when there
  /// is none, and the number S of keys.
  std::function<Tensor(const Tensor& attention_mask, std::int64_t keys)> score_bias = {};
  /// What a query takes the mean of when everything that it should see is padding, as for one on the left of a text:
  /// all positions; the padding up to itself, where padding is hidden by a large number taken from its scores and what
  /// comes later by a mask (GPT-Neo); or the tokens after it, where what comes later is hidden by a smaller number than
  /// padding is (GPT).
  enum class BlindSees { everything, padding, later_tokens } blind_sees = BlindSees::everything;
  /// The number that hides padding in the last two cases.
  static constexpr float padding_score = -1e30F;
  /// What else the layers share in a pass of `length` positions after `past` ones, in the context made so far.
  std::function<void(const ModelInputs& inputs, std::int64_t past, std::int64_t length, ForwardContext& context)>
      prepare = {};
  std::vector<DecoderBlock> layers = {};
  Norm norm = {};
  std::optional<Linear> project_out = {};

  ModelOutput forward(const ModelInputs& inputs) const override;
  const Embedding& input_embeddings() const override { return tokens; }
  bool learned_positions() const override { return bool(positions); }
  bool mixes_lengths() const override;

 private:
  Tensor embed(const ModelInputs& inputs, const Tensor& positions_of_tokens) const;
};

/// Positions of all `keys` keys as the mask counts them, or 0, 1, ... without one: [B or 1, S].
Tensor key_positions(const Tensor& attention_mask, std::int64_t keys);

/// A decoder without its final norm: `embed_tokens`, one rotary embedding as the config says, and the `layers`, which
/// `block` composes from their scope and number.
std::unique_ptr<Decoder> stacked_decoder(const Scope& scope, const DecoderConfig& config,
                                         const std::function<DecoderBlock(const Scope& layer, std::int64_t i)>& block);
/// LLaMA's block, which many share: `input_layernorm`, `self_attn`, `post_attention_layernorm` and a gated `mlp`, with
/// RMSNorm.
DecoderBlock llama_block(const Scope& layer, const DecoderConfig& config, const SelfAttentionConfig& attention);

using MakeBody = std::function<std::unique_ptr<Body>(const Scope&)>;

/// A decoder with a head. `heads` says how the heads are called and `tied` whether the output layer shares the
/// embeddings when the config does not say.
std::unique_ptr<Model> make_decoder(const DecoderConfig& config, const Json& json, std::string_view where,
                                    const Scope& root, DecoderHead head, const DecoderHeads& heads, bool tied,
                                    const MakeBody& make_body);

using MakeDecoder = std::unique_ptr<Model> (*)(const Json& config, std::string_view where, const Scope& root,
                                               DecoderHead head);
/// The classes <prefix>Model, <prefix>ForCausalLM, …ForSequenceClassification, …ForTokenClassification and
/// …ForQuestionAnswering: those of `heads`.
std::vector<ModelClass> decoder_classes(std::string_view prefix, MakeDecoder make,
                                        std::initializer_list<DecoderHead> heads = {
                                            DecoderHead::none, DecoderHead::causal_lm,
                                            DecoderHead::sequence_classification, DecoderHead::token_classification,
                                            DecoderHead::question_answering});

}  // namespace trustformers
