// The body that BERT, RoBERTa and ELECTRA share: a post-norm encoder, or a causal decoder with cross-attention.
#pragma once

#include <optional>
#include <vector>

#include "encoder.h"
#include "encoder_layers.h"

namespace trustformers {

struct BertConfig : EncoderConfig {
  std::string position_embedding_type = "absolute";
  std::int64_t embedding_size = 0;  // of the tables; 0: hidden_size (ELECTRA)
  bool is_decoder = false, add_cross_attention = false;
  /// Positions count the ids that are not padding, from pad_token_id + 1 on (RoBERTa). A policy, not a key.
  bool positions_from_padding = false;
  bool has_pooler = true;  // ELECTRA has none

  void fields(auto& v) {
    EncoderConfig::fields(v);
    v("position_embedding_type", position_embedding_type);
    v("is_decoder", is_decoder);
    v("add_cross_attention", add_cross_attention);
  }
  void validate(std::string_view where) const;
};

class BertLayer {
 public:
  BertLayer(const Scope& scope, const BertConfig& config);
  Tensor operator()(Tensor x, const ModelInputs& in, const Tensor& key_mask, const Tensor& encoder_mask,
                    std::size_t layer) const;

 private:
  EncoderAttention attention_;
  std::optional<EncoderAttention> cross_;
  EncoderFeedForward feed_forward_;
};

class BertBody final : public Body {
 public:
  BertBody(const Scope& scope, const BertConfig& config, PoolerUse pooler);
  ModelOutput forward(const ModelInputs& in) const override;
  const Embedding& input_embeddings() const override { return embeddings_.words(); }

 private:
  Tensor positions(const ModelInputs& in) const;

  BertConfig config_;
  EncoderEmbeddings embeddings_;
  std::optional<Linear> project_;
  std::vector<BertLayer> layers_;
  std::optional<FirstTokenPooler> pooler_;
};

/// BERT's body with `heads` on it.
std::unique_ptr<Model> make_bert_like(const Json& json, std::string_view where, const Scope& root, Task task,
                                      const BertConfig& config, const EncoderHeads& heads);

}  // namespace trustformers
