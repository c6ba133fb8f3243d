// BART (Lewis et al. 2020) and the models built like it: mBART (Liu et al. 2020), Pegasus (Zhang et al. 2020), Marian
// (Junczys-Dowmunt et al. 2018), M2M-100 and NLLB (Fan et al. 2021), Blenderbot (Roller et al. 2021). They differ in
// where they normalise, in their positions and in what they do to embeddings.
#include <cmath>

#include "../nn/cross_attention.h"
#include "../nn/sinusoid.h"
#include "../ops/elementwise/binary.h"
#include "../ops/shape/shape_ops.h"
#include "decoder.h"
#include "encoder_decoder.h"

namespace trustformers {
namespace {

/// What the members of the family differ in.
struct Family {
  std::string_view prefix;  // of the classes
  std::string_view seq2seq_suffix = "ForConditionalGeneration";
  bool text_heads = false;      // classes for sequence classification and question answering
  bool causal_lm = true;        // a class for the decoder alone
  bool pre_norm = false;        // norms before attention and feed-forward, and one at the end of a stack
  bool embedding_norm = false;  // a norm behind the embeddings
  /// learned: read at position + offset. sinusoids: Marian's. counted_sinusoids: fairseq's, counting from padding + 1
  /// only the ids that are not padding.
  enum class Positions { learned, sinusoids, counted_sinusoids };
  Positions positions = Positions::learned;
  std::int64_t position_offset = 0;
  /// Which embeddings a decoder multiplies by sqrt(d_model) under scale_embedding; an encoder does so with tokens.
  enum class DecoderScale { tokens, everything, nothing };
  DecoderScale decoder_scale = DecoderScale::tokens;
  bool decoder_norm_before_positions = false;
  bool logits_bias = true;
  EncoderDecoderHeads::Shift shift = EncoderDecoderHeads::Shift::start_token;
  bool shifts_inputs = false;

  // What absent keys mean.
  std::int64_t pad = 1, eos = 2;
  std::optional<std::int64_t> start;
  std::int64_t max_positions = 1024, num_labels = 2;
  std::string_view activation = "gelu";
  bool scale_embedding = false;
};

struct BartConfig {
  std::int64_t vocab_size = 0, d_model = 0, encoder_layers = 0, decoder_layers = 0;
  std::int64_t encoder_attention_heads = 0, decoder_attention_heads = 0, encoder_ffn_dim = 0, decoder_ffn_dim = 0;
  std::int64_t max_position_embeddings = 0;
  std::int64_t decoder_vocab_size = 0;  // 0: as vocab_size
  std::string activation_function;
  bool scale_embedding = false, share_encoder_decoder_embeddings = true, tie_word_embeddings = true;
  std::int64_t padding = 0;

  void fields(auto& v) {
    v.size("vocab_size", vocab_size);
    v.size("d_model", d_model, {"hidden_size"});
    v.size("encoder_layers", encoder_layers, {"num_hidden_layers"});
    v.size("decoder_layers", decoder_layers);
    v.size("encoder_attention_heads", encoder_attention_heads, {"num_attention_heads"});
    v.size("decoder_attention_heads", decoder_attention_heads);
    v.size("encoder_ffn_dim", encoder_ffn_dim);
    v.size("decoder_ffn_dim", decoder_ffn_dim);
    v.size("max_position_embeddings", max_position_embeddings);
    v("decoder_vocab_size", decoder_vocab_size);
    v("activation_function", activation_function);
    v("scale_embedding", scale_embedding);
    v("share_encoder_decoder_embeddings", share_encoder_decoder_embeddings);
    v("tie_word_embeddings", tie_word_embeddings);
    v("pad_token_id", padding);
  }
  static BartConfig parse(const Json& json, std::string_view where, const Family& family) {
    BartConfig c;
    c.activation_function = family.activation;
    c.scale_embedding = family.scale_embedding;
    c.padding = family.pad;
    ConfigReader reader(json, where);
    c.fields(reader);
    if (c.decoder_vocab_size == 0 || c.share_encoder_decoder_embeddings) c.decoder_vocab_size = c.vocab_size;
    for (const std::int64_t heads : {c.encoder_attention_heads, c.decoder_attention_heads})
      check(c.d_model % heads == 0, ErrorCode::parse, "[config] ", where, ": \"d_model\" ", c.d_model,
            " does not split into ", heads, " heads");
    check(c.d_model >= 4 && c.decoder_vocab_size > 0 && c.padding >= 0, ErrorCode::parse, "[config] ", where,
          ": \"d_model\" must be at least 4, \"decoder_vocab_size\" positive, \"pad_token_id\" not negative");
    return c;
  }
};

class BartStack final : public Body {
 public:
  BartStack(const Scope& scope, const BartConfig& c, const Family& family, const Embedding& tokens, bool decoder)
      : family_(family), decoder_(decoder), padding_(c.padding), tokens_(tokens) {
    if (c.scale_embedding) scale_ = std::sqrt(static_cast<double>(c.d_model));
    using Spacing = SinusoidalPositions::Spacing;
    if (family.positions == Family::Positions::learned)
      positions_ = Embedding(scope / "embed_positions", c.max_position_embeddings + family.position_offset, c.d_model);
    else
      sinusoids_ = SinusoidalPositions(
          c.d_model, family.positions == Family::Positions::sinusoids ? Spacing::open : Spacing::closed);
    const auto norm = [&](const Scope& at, std::string_view name) { return LayerNorm(at / name, c.d_model, 1e-5); };
    const std::int64_t layers = decoder ? c.decoder_layers : c.encoder_layers;
    for (std::int64_t i = 0; i < layers; ++i) {
      const Scope layer = scope / "layers" / i;
      const auto act = ActivationFunction::parse(c.activation_function, "activation_function");
      const MlpShape shape{c.d_model, decoder ? c.decoder_ffn_dim : c.encoder_ffn_dim, true};
      const std::int64_t heads = decoder ? c.decoder_attention_heads : c.encoder_attention_heads;
      const SelfAttentionConfig attention{.hidden_size = c.d_model,
                                          .heads = heads,
                                          .kv_heads = heads,
                                          .head_dim = c.d_model / heads,
                                          .layer = i,
                                          .bias = true,
                                          .output_bias = true,
                                          .causal = decoder,
                                          .output_name = "out_proj",
                                          .rotation = std::nullopt};
      DecoderBlock block{.attention_norm = norm(layer, "self_attn_layer_norm"),
                         .attention = std::make_unique<SelfAttention>(layer / "self_attn", attention),
                         .mlp_norm = norm(layer, "final_layer_norm"),
                         .mlp = plain_mlp(layer, shape, act, "fc1", "fc2"),
                         .layout = family.pre_norm ? DecoderBlock::Layout::pre_norm : DecoderBlock::Layout::post_norm};
      if (decoder) {
        block.cross_norm = norm(layer, "encoder_attn_layer_norm");
        block.cross_attention = std::make_unique<CrossAttention>(layer / "encoder_attn", attention);
      }
      blocks_.push_back(std::move(block));
    }
    if (family.embedding_norm) layernorm_embedding_ = norm(scope, "layernorm_embedding");
    if (family.pre_norm) layer_norm_ = norm(scope, "layer_norm");
  }

  ModelOutput forward(const ModelInputs& in) const override {
    ModelOutput out;
    Tensor x = embed(in);
    const ForwardContext context = stack_context(in);
    for (const DecoderBlock& block : blocks_) {
      if (in.output_hidden_states) out.hidden_states.push_back(x);
      x = block(x, context);
    }
    out.last_hidden_state = layer_norm_(x);
    if (in.output_hidden_states) out.hidden_states.push_back(out.last_hidden_state);
    return out;
  }
  const Embedding& input_embeddings() const override { return tokens_; }
  bool mixes_lengths() const override { return family_.positions != Family::Positions::counted_sinusoids; }
  bool learned_positions() const override { return family_.positions == Family::Positions::learned; }

 private:
  Tensor embed(const ModelInputs& in) const {
    const bool given = in.inputs_embeds.defined();
    Tensor x = given ? in.inputs_embeds : tokens_(in.input_ids);
    const Family::DecoderScale policy = decoder_ ? family_.decoder_scale : Family::DecoderScale::tokens;
    if (scale_ != 1 &&
        (policy == Family::DecoderScale::everything || (policy == Family::DecoderScale::tokens && !given)))
      x = x * scale_;
    // [B or 1, L, D]; padding on the left is counted, as transformers has it: position_ids have no say here.
    const Tensor positions = position_vectors(in, x.size(1));
    return decoder_ && family_.decoder_norm_before_positions ? layernorm_embedding_(x) + positions
                                                             : layernorm_embedding_(x + positions);
  }
  Tensor position_vectors(const ModelInputs& in, std::int64_t length) const {
    switch (family_.positions) {
      case Family::Positions::learned: return positions_(next_positions(in.cache, length, family_.position_offset));
      case Family::Positions::sinusoids: return sinusoids_(next_positions(in.cache, length));
      case Family::Positions::counted_sinusoids: break;
    }
    if (in.inputs_embeds.defined()) return sinusoids_(next_positions(in.cache, length, padding_ + 1));
    const Tensor positions = positions_from_ids(in.input_ids, padding_, in.cache ? in.cache->length() : 0);
    std::vector<float> counts;  // padding has no position: its vector is zero
    for (const std::int64_t p : positions.to_vector<std::int64_t>()) counts.push_back(p == padding_ ? 0.0F : 1.0F);
    return sinusoids_(positions) * Tensor::from(counts, {positions.size(0), length, 1});
  }

  Family family_;
  bool decoder_;
  std::int64_t padding_;
  double scale_ = 1;
  Embedding tokens_, positions_;
  SinusoidalPositions sinusoids_;
  Norm layernorm_embedding_, layer_norm_;
  std::vector<DecoderBlock> blocks_;
};

CommonConfig common_config(const Json& json, std::string_view where, const BartConfig& c, const Family& family) {
  CommonConfig common = CommonConfig::parse(json, where, true);
  common.max_position_embeddings = c.max_position_embeddings;
  common.pad_token_id = c.padding;
  if (common.eos_token_id.empty()) common.eos_token_id = {family.eos};
  if (!common.decoder_start_token_id) common.decoder_start_token_id = family.start;
  if (!json.find("id2label") && !json.find("num_labels")) common.num_labels = family.num_labels;
  return common;
}

/// Copies of the table, or the shared one that no stack reads; positions of a formula; marks of fairseq.
void ignore_copies(const Scope& root, const Family& family) {
  root.parameters().ignore({"*shared.weight", "*embed_tokens.weight", "*.version"});
  if (family.positions != Family::Positions::learned) root.parameters().ignore({"*embed_positions.weight*"});
}

std::unique_ptr<Model> make_bart(const Json& json, std::string_view where, const Scope& root, EncoderDecoderHead head,
                                 const Family& family) {
  const BartConfig c = BartConfig::parse(json, where, family);
  ignore_copies(root, family);
  const EncoderDecoderHeads heads{.final_logits_bias = family.logits_bias,
                                  .target_vocab_size = c.decoder_vocab_size,
                                  .shift = family.shift,
                                  .shifts_inputs = family.shifts_inputs};
  return std::make_unique<EncoderDecoderModel>(
      common_config(json, where, c, family), root, heads, head, [&](const Scope& scope) {
        const Scope encoder = scope / "encoder", decoder = scope / "decoder";
        const auto has_own = [&](const Scope& stack) {
          return !c.share_encoder_decoder_embeddings ||
                 (!c.tie_word_embeddings && (stack / "embed_tokens").stored("weight"));
        };
        const Embedding source = has_own(encoder)
                                     ? Embedding(encoder / "embed_tokens", c.vocab_size, c.d_model, c.padding)
                                     : shared_embedding(scope, c.vocab_size, c.d_model, c.padding);
        const Embedding target =
            has_own(decoder) ? Embedding(decoder / "embed_tokens", c.decoder_vocab_size, c.d_model, c.padding) : source;
        return EncoderDecoderBodies{std::make_unique<BartStack>(encoder, c, family, source, false),
                                    std::make_unique<BartStack>(decoder, c, family, target, true)};
      });
}

/// The decoder as a language model of its own, with or without an encoder's states. Unlike other decoders these
/// classes score a position's logits against the label of that position.
class BartCausalLm final : public Model {
 public:
  BartCausalLm(CommonConfig common, const Scope& root, std::unique_ptr<BartStack> decoder)
      : decoder_(std::move(decoder)),
        output_(output_layer(root, "lm_head", common, decoder_->input_embeddings(), common.vocab_size)) {
    common_ = std::move(common);
    common_.learned_positions = decoder_->learned_positions();
    common_.mixes_lengths = decoder_->mixes_lengths();
  }
  bool can_generate() const override { return true; }
  ModelOutput forward(const ModelInputs& in) const override {
    ModelOutput out = decoder_->forward(in);
    Tensor states = std::exchange(out.last_hidden_state, Tensor());
    if (in.logits_to_keep > 0)
      states = contiguous(slice(states, 1, std::max<std::int64_t>(0, states.size(1) - in.logits_to_keep)));
    out.logits = output_(states);
    if (in.labels.defined()) out.loss = token_loss(out.logits, in.labels, in.label_smoothing);
    return out;
  }

 private:
  std::unique_ptr<BartStack> decoder_;
  Linear output_;
};

std::unique_ptr<Model> make_causal_lm(const Json& json, std::string_view where, const Scope& root,
                                      const Family& family) {
  const BartConfig c = BartConfig::parse(json, where, family);
  ignore_copies(root, family);
  root.parameters().ignore({"model.encoder.*", "final_logits_bias"});
  CommonConfig common = common_config(json, where, c, family);
  common.vocab_size = c.decoder_vocab_size;
  const Scope decoder = root / "model" / "decoder", shared = root / "model" / "shared";
  // The file of a whole model has the table under the name that both stacks share.
  const bool own = !shared.stored("weight") || (decoder / "embed_tokens").stored("weight");
  const Embedding tokens(own ? decoder / "embed_tokens" : shared, c.decoder_vocab_size, c.d_model, c.padding);
  return std::make_unique<BartCausalLm>(std::move(common), root,
                                        std::make_unique<BartStack>(decoder, c, family, tokens, true));
}

Architecture architecture(std::string_view model_type, const Family& family) {
  Architecture out{.model_type = model_type,
                   .base_prefix = "model",
                   .classes = encoder_decoder_classes(
                       family.prefix, family.seq2seq_suffix, family.text_heads,
                       [family](const Json& json, std::string_view where, const Scope& root, EncoderDecoderHead head) {
                         return make_bart(json, where, root, head, family);
                       }),
                   .gguf = {}};
  if (family.causal_lm)
    out.classes.push_back({std::string(family.prefix) + "ForCausalLM", Task::causal_lm,
                           [family](const Json& json, std::string_view where, const Scope& root) {
                             return make_causal_lm(json, where, root, family);
                           }});
  return out;
}

}  // namespace

Architecture bart_architecture() {
  return architecture("bart", {.prefix = "Bart",
                               .text_heads = true,
                               .embedding_norm = true,
                               .position_offset = 2,
                               .shifts_inputs = true,
                               .start = 2,
                               .num_labels = 3});
}

Architecture mbart_architecture() {
  return architecture("mbart", {.prefix = "MBart",
                                .text_heads = true,
                                .pre_norm = true,
                                .embedding_norm = true,
                                .position_offset = 2,
                                .shift = EncoderDecoderHeads::Shift::last_token,
                                .shifts_inputs = true,
                                .start = std::nullopt});
}

Architecture pegasus_architecture() {
  return architecture("pegasus", {.prefix = "Pegasus",
                                  .pre_norm = true,
                                  .positions = Family::Positions::sinusoids,
                                  .decoder_scale = Family::DecoderScale::everything,
                                  .pad = 0,
                                  .eos = 1,
                                  .start = 0});
}

Architecture marian_architecture() {
  return architecture("marian", {.prefix = "Marian",
                                 .seq2seq_suffix = "MTModel",
                                 .positions = Family::Positions::sinusoids,
                                 .decoder_scale = Family::DecoderScale::everything,
                                 .pad = 58100,
                                 .eos = 0,
                                 .start = 58100});
}

Architecture m2m_100_architecture() {
  return architecture("m2m_100", {.prefix = "M2M100",
                                  .causal_lm = false,
                                  .pre_norm = true,
                                  .positions = Family::Positions::counted_sinusoids,
                                  .logits_bias = false,
                                  .start = 2,
                                  .activation = "relu",
                                  .scale_embedding = true});
}

Architecture blenderbot_architecture() {
  return architecture("blenderbot", {.prefix = "Blenderbot", .pre_norm = true, .pad = 0, .start = 1});
}

Architecture blenderbot_small_architecture() {
  return architecture("blenderbot-small", {.prefix = "BlenderbotSmall",
                                           .embedding_norm = true,
                                           .decoder_scale = Family::DecoderScale::nothing,
                                           .decoder_norm_before_positions = true,
                                           .pad = 0,
                                           .start = 1});
}

}  // namespace trustformers
