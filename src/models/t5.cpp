// T5 (Raffel et al. 2020), 1.1 and mT5 (Xue et al. 2021), umT5 (Chung et al. 2023): pre-norm with RMSNorm, scores that
// are not scaled and get a learned bias for the distance between two positions.
#include <cmath>
#include <cstring>

#include "../nn/cross_attention.h"
#include "../nn/relative_position.h"
#include "../ops/shape/shape_ops.h"
#include "decoder.h"
#include "encoder.h"
#include "encoder_decoder.h"

namespace trustformers {
namespace {

enum class Variant { t5, mt5, umt5 };

struct T5Config {
  std::int64_t vocab_size = 0, d_model = 0, d_kv = 64, d_ff = 0, num_layers = 0, num_heads = 0;
  std::int64_t num_decoder_layers = 0;  // 0: as num_layers
  std::int64_t relative_attention_num_buckets = 32, relative_attention_max_distance = 128;
  double layer_norm_epsilon = 1e-6;
  std::string feed_forward_proj = "relu";
  std::optional<bool> scale_decoder_outputs, tie_word_embeddings;

  bool gated = false;
  ActivationFunction act = ActivationFunction::parse("relu", "feed_forward_proj");
  Variant variant = Variant::t5;

  void fields(auto& v) {
    v.size("vocab_size", vocab_size);
    v.size("d_model", d_model, {"hidden_size"});
    v.size("d_ff", d_ff);
    v.size("num_layers", num_layers, {"num_hidden_layers"});
    v.size("num_heads", num_heads, {"num_attention_heads"});
    v("d_kv", d_kv, {"head_dim"});
    v("num_decoder_layers", num_decoder_layers);
    v("relative_attention_num_buckets", relative_attention_num_buckets);
    v("relative_attention_max_distance", relative_attention_max_distance);
    v("layer_norm_epsilon", layer_norm_epsilon);
    v("feed_forward_proj", feed_forward_proj);
    v("scale_decoder_outputs", scale_decoder_outputs);
    v("tie_word_embeddings", tie_word_embeddings);
  }
  static T5Config parse(const Json& json, std::string_view where, Variant variant) {
    T5Config c;
    c.variant = variant;
    if (variant != Variant::t5) c.feed_forward_proj = "gated-gelu";
    ConfigReader reader(json, where);
    c.fields(reader);
    if (c.num_decoder_layers == 0) c.num_decoder_layers = c.num_layers;
    for (const auto& [key, value] : {std::pair{"d_kv", c.d_kv}, std::pair{"num_decoder_layers", c.num_decoder_layers}})
      check(value > 0, ErrorCode::parse, "[config] ", where, ": \"", key, "\" must be positive, got ", value);
    std::string_view act = c.feed_forward_proj;
    c.gated = act.starts_with("gated-");
    if (c.gated) act.remove_prefix(6);
    c.act = ActivationFunction::parse(c.gated && act == "gelu" ? "gelu_new" : act, "feed_forward_proj");
    return c;
  }
  /// Whether the decoder's states are divided by sqrt(d_model) before the output layer: old T5 files say it by being
  /// tied.
  bool scales_outputs() const {
    if (variant != Variant::t5) return variant == Variant::umt5;
    return scale_decoder_outputs.value_or(tie_word_embeddings.value_or(true));
  }
  SelfAttentionConfig attention(std::int64_t layer, bool causal) const {
    return {.hidden_size = d_model,
            .heads = num_heads,
            .kv_heads = num_heads,
            .head_dim = d_kv,
            .layer = layer,
            .causal = causal,
            .names = {"q", "k", "v"},
            .output_name = "o",
            .rotation = std::nullopt,
            .scale = 1};
  }
};

class T5Stack final : public Body {
 public:
  T5Stack(const Scope& scope, const T5Config& c, const Embedding& tokens, bool decoder)
      : tokens_(tokens),
        buckets_{.buckets = c.relative_attention_num_buckets,
                 .max_distance = c.relative_attention_max_distance,
                 .bidirectional = !decoder} {
    const MlpShape shape{c.d_model, c.d_ff, false};
    const std::int64_t layers = decoder ? c.num_decoder_layers : c.num_layers;
    for (std::int64_t i = 0; i < layers; ++i) {
      const Scope block = scope / "block" / i / "layer";
      const Scope self = block / 0 / "SelfAttention", mlp = block / (decoder ? 2 : 1);
      const auto norm = [&](const Scope& s) { return RmsNorm(s / "layer_norm", c.d_model, c.layer_norm_epsilon); };
      DecoderBlock out{.attention_norm = norm(block / 0),
                       .attention = std::make_unique<SelfAttention>(self, c.attention(i, decoder)),
                       .mlp = nullptr};
      if (i == 0 || c.variant == Variant::umt5)
        biases_.emplace_back(self / "relative_attention_bias", c.relative_attention_num_buckets, c.num_heads);
      if (decoder) {
        out.cross_norm = norm(block / 1);
        out.cross_attention = std::make_unique<CrossAttention>(block / 1 / "EncDecAttention", c.attention(i, false));
      }
      out.mlp_norm = norm(mlp);
      const GatedMlpNames gated{.gate = "wi_0", .up = "wi_1", .down = "wo"};
      out.mlp = c.gated ? gated_mlp(mlp / "DenseReluDense", shape, c.act, gated)
                        : plain_mlp(mlp / "DenseReluDense", shape, c.act, "wi", "wo");
      blocks_.push_back(std::move(out));
    }
    final_layer_norm_ = RmsNorm(scope / "final_layer_norm", c.d_model, c.layer_norm_epsilon);
  }

  ModelOutput forward(const ModelInputs& in) const override {
    ModelOutput out;
    Tensor x = in.inputs_embeds.defined() ? in.inputs_embeds : tokens_(in.input_ids);
    const std::int64_t past = in.cache ? in.cache->length() : 0;
    const Tensor buckets = relative_buckets(buckets_, past, x.size(1), past + x.size(1));
    ForwardContext context = stack_context(in);
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      if (in.output_hidden_states) out.hidden_states.push_back(x);
      // [L, S, H] -> [1, H, L, S]; without one of their own all layers share the first
      if (i < biases_.size()) context.bias = unsqueeze(permute(biases_[i](buckets), {2, 0, 1}), 0);
      x = blocks_[i](x, context);
    }
    out.last_hidden_state = final_layer_norm_(x);
    if (in.output_hidden_states) out.hidden_states.push_back(out.last_hidden_state);
    return out;
  }
  const Embedding& input_embeddings() const override { return tokens_; }
  bool mixes_lengths() const override { return true; }

 private:
  Embedding tokens_;
  RelativeBuckets buckets_;
  std::vector<Embedding> biases_;
  std::vector<DecoderBlock> blocks_;
  RmsNorm final_layer_norm_;
};

CommonConfig common_config(const Json& json, std::string_view where, const Scope& root, const T5Config& c) {
  CommonConfig common = CommonConfig::parse(json, where, true);
  common.max_position_embeddings = 0;  // n_positions of old files is a habit of training, not a limit
  if (!common.pad_token_id) common.pad_token_id = 0;
  if (common.eos_token_id.empty()) common.eos_token_id = {1};
  if (!common.decoder_start_token_id) common.decoder_start_token_id = common.pad_token_id;
  // A file without an output layer is tied, whatever its config says; umT5's say wrong.
  common.tie_word_embeddings = c.tie_word_embeddings.value_or(true) || !root.available("lm_head.weight");
  return common;
}

template <Variant variant>
std::unique_ptr<Model> make_t5(const Json& json, std::string_view where, const Scope& root, EncoderDecoderHead head) {
  const T5Config c = T5Config::parse(json, where, variant);
  // In the first release a table that nothing reads; copies of the shared embeddings.
  root.parameters().ignore({"*EncDecAttention.relative_attention_bias.weight", "*embed_tokens.weight"});
  const EncoderDecoderHeads heads{
      .body = "",
      .classification_body = "transformer",
      .states_scale = c.scales_outputs() ? 1 / std::sqrt(static_cast<double>(c.d_model)) : 1,
      .shifts_inputs =
          head == EncoderDecoderHead::sequence_classification || head == EncoderDecoderHead::question_answering};
  return std::make_unique<EncoderDecoderModel>(
      common_config(json, where, root, c), root, heads, head, [&](const Scope& scope) {
        const Embedding shared = shared_embedding(scope, c.vocab_size, c.d_model);
        return EncoderDecoderBodies{std::make_unique<T5Stack>(scope / "encoder", c, shared, false),
                                    std::make_unique<T5Stack>(scope / "decoder", c, shared, true)};
      });
}

/// The encoder alone, or with a classifier of tokens.
template <Variant variant, Task task>
std::unique_ptr<Model> make_encoder(const Json& json, std::string_view where, const Scope& root) {
  const T5Config c = T5Config::parse(json, where, variant);
  root.parameters().ignore({"decoder.*", "transformer.decoder.*", "lm_head.*", "*embed_tokens.weight"});
  return std::make_unique<EncoderModel>(common_config(json, where, root, c), root, task,
                                        EncoderHeads{.body = "transformer"}, [&](const Scope& scope, PoolerUse) {
                                          const Embedding shared = shared_embedding(scope, c.vocab_size, c.d_model);
                                          return std::make_unique<T5Stack>(scope / "encoder", c, shared, false);
                                        });
}

/// True when the first files' copy of the embeddings stands where an output layer of its own would.
bool output_is_copy(const WeightSource& source) {
  const TensorEntry* output = source.find("output.weight");
  const TensorEntry* table = source.find("token_embd.weight");
  if (!output || output->dtype != table->dtype || output->shape != table->shape) return false;
  const Tensor a = source.load("output.weight"), b = source.load("token_embd.weight");
  return std::memcmp(a.raw(), b.raw(), static_cast<std::size_t>(byte_size(a.dtype(), a.numel()))) == 0;
}

/// Files say neither mT5, which is T5 1.1 to them, nor umT5, which has a table of distances in every layer.
GgufArchitecture t5_gguf(Variant variant) {
  GgufArchitecture g{.name = "t5", .second_name = "t5encoder", .config = {}, .names = {}};
  if (variant == Variant::t5)
    g.config = [](const GgufMetadata& m) {
      const std::string a(m.get_string("general.architecture"));
      Json c = Json::object();
      c.set("model_type", "t5");
      c.set("d_model", m.get_int(a + ".embedding_length"));
      c.set("d_ff", m.get_int(a + ".feed_forward_length"));
      c.set("d_kv", m.get_int(a + ".attention.key_length"));
      c.set("num_heads", m.get_int(a + ".attention.head_count"));
      c.set("num_layers", m.get_int(a + ".block_count"));
      c.set("num_decoder_layers", m.get_int(a + ".decoder_block_count", m.get_int(a + ".block_count")));
      c.set("layer_norm_epsilon", m.get_double(a + ".attention.layer_norm_rms_epsilon"));
      c.set("relative_attention_num_buckets", m.get_int(a + ".attention.relative_buckets_count"));
      c.set("decoder_start_token_id", m.get_int(a + ".decoder_start_token_id", 0));
      return c;
    };
  g.from_tensors = [](const WeightSource& source, Json& c) {
    c.set("feed_forward_proj", source.find("enc.blk.0.ffn_gate.weight") ? "gated-gelu" : "relu");
    if (source.find("enc.blk.1.attn_rel_b.weight")) c.set("model_type", "umt5");
    if (output_is_copy(source)) c.set("tie_word_embeddings", true);
  };
  g.names = {{"shared", "token_embd"}, {"lm_head", "output"}};
  const auto add = [&](std::string_view stack, std::string_view short_name, std::string_view layer,
                       std::initializer_list<std::pair<std::string_view, std::string_view>> rows) {
    for (const auto& [ours, theirs] : rows)
      g.names.push_back({str(stack, ".block.#.layer.", layer, ".", ours), str(short_name, ".blk.#.", theirs)});
  };
  for (const auto& [stack, short_name, mlp] : {std::tuple{"encoder", "enc", "1"}, std::tuple{"decoder", "dec", "2"}}) {
    add(stack, short_name, "0",
        {{"layer_norm", "attn_norm"},
         {"SelfAttention.q", "attn_q"},
         {"SelfAttention.k", "attn_k"},
         {"SelfAttention.v", "attn_v"},
         {"SelfAttention.o", "attn_o"},
         {"SelfAttention.relative_attention_bias", "attn_rel_b"}});
    add(stack, short_name, mlp,
        {{"layer_norm", "ffn_norm"},
         {"DenseReluDense.wi", "ffn_up"},
         {"DenseReluDense.wi_0", "ffn_gate"},
         {"DenseReluDense.wi_1", "ffn_up"},
         {"DenseReluDense.wo", "ffn_down"}});
    g.names.push_back({str(stack, ".final_layer_norm"), str(short_name, ".output_norm")});
  }
  add("decoder", "dec", "1",
      {{"layer_norm", "cross_attn_norm"},
       {"EncDecAttention.q", "cross_attn_q"},
       {"EncDecAttention.k", "cross_attn_k"},
       {"EncDecAttention.v", "cross_attn_v"},
       {"EncDecAttention.o", "cross_attn_o"}});
  return g;
}

template <Variant variant>
Architecture architecture(std::string_view model_type, const std::string& prefix) {
  Architecture out{.model_type = model_type,
                   .base_prefix = "transformer",
                   .classes = encoder_decoder_classes(prefix, "ForConditionalGeneration", true, make_t5<variant>),
                   .gguf = t5_gguf(variant)};
  out.classes.push_back({prefix + "EncoderModel", Task::base, make_encoder<variant, Task::base>});
  out.classes.push_back({prefix + "ForTokenClassification", Task::token_classification,
                         make_encoder<variant, Task::token_classification>});
  return out;
}

}  // namespace

Architecture t5_architecture() { return architecture<Variant::t5>("t5", "T5"); }
Architecture mt5_architecture() { return architecture<Variant::mt5>("mt5", "MT5"); }
Architecture umt5_architecture() { return architecture<Variant::umt5>("umt5", "UMT5"); }

}  // namespace trustformers
