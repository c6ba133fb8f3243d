// What BERT and its kin are built of: embeddings, attention and feed-forward blocks that normalise after the residual.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../nn/activation.h"
#include "../nn/attention.h"
#include "../nn/config.h"
#include "../nn/linear.h"
#include "model.h"

namespace trustformers {

/// The keys that encoders share. An architecture derives its own and lists what it adds.
struct EncoderConfig {
  std::int64_t vocab_size = 0, hidden_size = 0, intermediate_size = 0, num_hidden_layers = 0, num_attention_heads = 0;
  std::int64_t max_position_embeddings = 512, type_vocab_size = 2, pad_token_id = 0;
  std::string hidden_act = "gelu";
  double layer_norm_eps = 1e-12;
  KeySpellings spelled;

  void fields(auto& v) {
    v.size("vocab_size", vocab_size);
    v.size("hidden_size", hidden_size, {"dim", "n_embd"});
    v.size("intermediate_size", intermediate_size, {"hidden_dim", "n_inner"});
    v.size("num_hidden_layers", num_hidden_layers, {"n_layers", "n_layer"});
    v.size("num_attention_heads", num_attention_heads, {"n_heads", "n_head"});
    v("max_position_embeddings", max_position_embeddings, {"n_positions"});
    v("type_vocab_size", type_vocab_size);
    v("pad_token_id", pad_token_id);
    v("hidden_act", hidden_act, {"activation"});
    v("layer_norm_eps", layer_norm_eps, {"layer_norm_epsilon"});
  }
  /// Throws where the keys do not fit together. `where` names the file.
  void validate(std::string_view where) const;
  double attention_scale() const;
  ActivationFunction activation() const { return ActivationFunction::parse(hidden_act, spelled("hidden_act")); }
};

/// Throws, naming the key, unless `count` lies in [least, 2^31).
void check_count(std::int64_t count, std::int64_t least, std::string_view key, std::string_view where);

/// Fills a config whose members hold the architecture's defaults, and validates it.
template <class Config>
void read_encoder_config_into(Config& config, const Json& json, std::string_view where) {
  read_config_into(config, json, where);
  config.validate(where);
}
template <class Config>
Config read_encoder_config(const Json& json, std::string_view where) {
  Config config;
  read_encoder_config_into(config, json, where);
  return config;
}

/// Word, position and token type tables under BERT's names, summed and normalised.
class EncoderEmbeddings {
 public:
  struct Sizes {
    std::int64_t vocab = 0, width = 0;
    std::int64_t positions = 0, types = 0;  // 0: no such table
    std::int64_t padding = 0;               // its row of words is not trained, ...
    bool pads_positions = false;            // ... nor its row of positions
    double eps = 1e-12;
  };
  EncoderEmbeddings() = default;
  EncoderEmbeddings(const Scope& scope, const Sizes& sizes);
  /// Ids or embeddings, and positions [B or 1, L] -> [B, L, width]. Absent token types are 0.
  Tensor operator()(const ModelInputs& in, const Tensor& positions) const;
  const Embedding& words() const { return words_; }

 private:
  Embedding words_;
  std::optional<Embedding> positions_, types_;
  LayerNorm norm_;
};

/// The positions that were given, or the consecutive ones after what the cache holds: [B or 1, L].
Tensor positions_or_consecutive(const ModelInputs& in);

/// What the parts of an attention block are called in checkpoints, from the layer on.
struct AttentionNames {
  std::string_view query, key, value, output, norm;
};
/// The same for a feed-forward block.
struct FeedForwardNames {
  std::string_view up, down, norm;
};
inline constexpr FeedForwardNames bert_feed_forward{"intermediate.dense", "output.dense", "output.LayerNorm"};

/// norm(x + output(attention)).
class EncoderAttention {
 public:
  EncoderAttention(const Scope& scope, const EncoderConfig& config, const AttentionNames& names, bool causal = false);
  /// To x itself: x [B, L, D], bias broadcastable to [B, H, L, S] or undefined. With a cache, past keys are seen too.
  Tensor operator()(const Tensor& x, const Tensor& key_mask, const Tensor& bias = Tensor(),
                    AttentionCache* cache = nullptr, std::size_t layer = 0) const;
  /// To the states of an encoder [B, T, D], whose keys and values the cache keeps.
  Tensor cross(const Tensor& x, const Tensor& states, const Tensor& key_mask, AttentionCache* cache,
               std::size_t layer) const;

 private:
  AttentionCache::KeysValues keys_values(const Tensor& source) const;
  /// What follows attention: the output layer, the residual and its norm.
  Tensor finish(const Tensor& x, const Tensor& attended) const;

  std::int64_t heads_;
  Linear query_, key_, value_, output_;
  LayerNorm norm_;
  AttentionAttrs mask_;
};

/// norm(x + down(act(up(x)))).
class EncoderFeedForward {
 public:
  EncoderFeedForward(const Scope& scope, const EncoderConfig& config, const FeedForwardNames& names);
  Tensor operator()(const Tensor& x) const;

 private:
  Linear up_, down_;
  LayerNorm norm_;
  ActivationFunction act_;
};

/// tanh(dense(the first position)): [B, L, D] -> [B, D].
class FirstTokenPooler {
 public:
  FirstTokenPooler() = default;
  FirstTokenPooler(const Scope& dense, std::int64_t width) : dense_(dense, width, width) {}
  Tensor operator()(const Tensor& x) const;

 private:
  Linear dense_;
};

/// Runs `layer(i, x)` for i below `layers` and fills hidden_states, when asked for, and last_hidden_state.
template <class Layer>
ModelOutput run_layers(const ModelInputs& in, Tensor x, std::size_t layers, const Layer& layer) {
  ModelOutput out;
  for (std::size_t i = 0; i < layers; ++i) {
    if (in.output_hidden_states) out.hidden_states.push_back(x);
    x = layer(i, x);
  }
  if (in.output_hidden_states) out.hidden_states.push_back(x);
  out.last_hidden_state = x;
  return out;
}

}  // namespace trustformers
