// What both DeBERTas are made of (He et al. 2021): content and relative position meet in disentangled attention scores.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "../base/function_ref.h"
#include "encoder.h"
#include "encoder_layers.h"

namespace trustformers {

struct DebertaConfig : EncoderConfig {
  std::int64_t embedding_size = 0;           // of the tables; 0: hidden_size
  std::int64_t max_relative_positions = -1;  // below 1: max_position_embeddings
  bool relative_attention = false, position_biased_input = true;
  std::vector<std::string> pos_att_type;  // "c2p", "p2c", or both in one string with "|" between them
  std::string pooler_hidden_act = "gelu";
  std::optional<bool> legacy;  // of the language model's head; absent: as the checkpoint has it

  DebertaConfig() {
    layer_norm_eps = 1e-7;
    type_vocab_size = 0;
  }
  void fields(auto& v) {
    EncoderConfig::fields(v);
    v("embedding_size", embedding_size);
    v("max_relative_positions", max_relative_positions);
    v("relative_attention", relative_attention);
    v("position_biased_input", position_biased_input);
    v("pos_att_type", pos_att_type);
    v("pooler_hidden_act", pooler_hidden_act);
    v("legacy", legacy);
  }
  void validate(std::string_view where) const;

  /// The terms of pos_att_type, in lower case.
  std::vector<std::string> position_terms() const;
  bool has_term(std::string_view term) const;
  std::int64_t relative_span() const {
    return max_relative_positions < 1 ? max_position_embeddings : max_relative_positions;
  }
};

/// Tables, an optional projection, the norm, and zeros where `seen` is 0.
class DebertaEmbeddings {
 public:
  DebertaEmbeddings(const Scope& scope, const DebertaConfig& config);
  /// `seen` [B, L, 1] f32 or undefined -> [B, L, D].
  Tensor operator()(const ModelInputs& in, const Tensor& seen) const;
  const Embedding& words() const { return words_; }

 private:
  Embedding words_;
  std::optional<Embedding> positions_, types_;
  std::optional<Linear> project_;
  LayerNorm norm_;
};

/// Which tokens are no padding; both undefined when nothing is padded.
struct DebertaMask {
  Tensor seen;    // [B, L, 1] f32: 1 or 0
  Tensor hidden;  // [B, 1, L, L] f32: -inf where padding looks or is looked at, else 0
  static DebertaMask of(const ModelInputs& in);
};

/// Which row of the relative table (2·span rows) query i and key j look up: [1, 1, L, L], i64.
struct RelativeIndex {
  Tensor content_to_position;  // at i, j
  Tensor position_to_content;  // at j, i
};
/// `distance` maps i - j to the distance that is looked up.
RelativeIndex relative_index(std::int64_t length, std::int64_t span, FunctionRef<std::int64_t(std::int64_t)> distance);

/// q_i·K_{δ(i,j)} + k_j·Q_{δ(j,i)}: q, k [B, H, L, D], the projected table's keys K and queries Q [1, H, 2·span, D],
/// either undefined -> [B, H, L, L], or undefined.
Tensor disentangled_scores(const Tensor& q, const Tensor& k, const Tensor& position_keys,
                           const Tensor& position_queries, const RelativeIndex& index);

/// attention() with `bias` [B, H, L, L] or undefined and scores · `scale`; [B, H, L, D] -> [B, L, H·D].
Tensor disentangled_attention(const Tensor& q, const Tensor& k, const Tensor& v, double scale, const Tensor& bias,
                              const DebertaMask& mask);

/// norm(dense(context) + x).
class DebertaSelfOutput {
 public:
  DebertaSelfOutput(const Scope& scope, const DebertaConfig& config);
  Tensor operator()(const Tensor& context, const Tensor& x) const;

 private:
  Linear dense_;
  LayerNorm norm_;
};

/// A layer around either version's attention: `attention(x, context)` gives [B, L, D].
template <class Attention>
struct DebertaLayer {
  Attention attention;
  DebertaSelfOutput output;
  EncoderFeedForward feed_forward;

  template <class Config>
  DebertaLayer(const Scope& scope, const Config& c)
      : attention(scope / "attention" / "self", c),
        output(scope / "attention" / "output", c),
        feed_forward(scope, c, bert_feed_forward) {}
  template <class Context>
  Tensor operator()(const Tensor& x, const Context& context) const {
    return feed_forward(output(attention(x, context), x));
  }
};

/// A body with the heads that both versions have.
std::unique_ptr<Model> make_deberta(const DebertaConfig& config, const Json& json, std::string_view where,
                                    const Scope& root, Task task, const EncoderModel::MakeBody& make_body);

}  // namespace trustformers
