// What every model is to the rest of the house: inputs, outputs, parameters, one forward.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../base/json.h"
#include "../nn/kv_cache.h"
#include "../nn/parameters.h"

namespace trustformers {

/// The arguments of forward, under Hugging Face's names. Undefined means not given.
struct ModelInputs {
  Tensor input_ids = {};               // [B, L] i64; [B, C, L] for multiple choice
  Tensor inputs_embeds = {};           // [B, L, D] f32, instead of input_ids
  Tensor attention_mask = {};          // [B, S], 1 for tokens and 0 for padding; S counts cached positions too
  Tensor token_type_ids = {};          // [B, L] i64
  Tensor position_ids = {};            // [B, L] or [1, L] i64
  Tensor encoder_hidden_states = {};   // [B, T, E], for cross-attention; an encoder-decoder then skips its encoder
  Tensor encoder_attention_mask = {};  // [B, T], beside encoder_hidden_states of a decoder
  // What the decoder of an encoder-decoder reads; all of the above is its encoder's.
  Tensor decoder_input_ids = {};       // [B, L] i64
  Tensor decoder_inputs_embeds = {};   // [B, L, D] f32, instead of decoder_input_ids
  Tensor decoder_attention_mask = {};  // [B, S] like attention_mask
  // Targets: with them the output has a loss. Labels of -100 do not count.
  Tensor labels = {};                // as the head says
  Tensor start_positions = {};       // [B] i64
  Tensor end_positions = {};         // [B] i64
  Tensor next_sentence_label = {};   // [B] i64
  Tensor sentence_order_label = {};  // [B] i64
  Tensor mc_token_ids = {};          // [B, C] i64, where each choice ends (GPT's two heads)
  Tensor mc_labels = {};             // [B] i64, the right choices
  double label_smoothing = 0;        // of the classification losses
  /// Past positions, extended by this call.
  AttentionCache* cache = nullptr;
  bool output_hidden_states = false;
  bool output_router_logits = false;  // of mixtures of experts; their loss then has the part that balances experts
  /// > 0: only the last so many positions get logits (a prompt needs one).
  std::int64_t logits_to_keep = 0;

  /// The member of that name, or nullptr.
  Tensor* find(std::string_view name);
};

/// attention_mask as the key mask of self-attention, [B, S] bool; undefined when every token counts. Any other shape is
/// a shape_mismatch.
Tensor self_key_mask(const ModelInputs& in);
/// encoder_attention_mask as that of cross-attention, [B, T] bool.
Tensor cross_key_mask(const ModelInputs& in);

/// What forward gives; undefined where the head has no such output.
struct ModelOutput {
  Tensor last_hidden_state;                                          // [B, L, D]
  Tensor pooler_output;                                              // [B, D]
  Tensor logits;                                                     // [B, L, V], [B, L, labels], [B, labels] or [B, C]
  Tensor start_logits;                                               // [B, L]
  Tensor end_logits;                                                 // [B, L]
  Tensor prediction_logits;                                          // [B, L, V]
  Tensor seq_relationship_logits;                                    // [B, 2]
  Tensor sop_logits;                                                 // [B, 2], ALBERT's sentence order
  Tensor mc_logits;                                                  // [B, C], of choices beside a language model
  Tensor loss;                                                       // scalar
  Tensor aux_loss;                                                   // scalar: how unevenly routers choose
  Tensor mc_loss;                                                    // scalar, of mc_logits
  Tensor encoder_last_hidden_state;                                  // [B, T, E], of an encoder-decoder
  std::vector<Tensor> hidden_states;                                 // the embeddings, then the output of each layer
  std::vector<Tensor> router_logits;                                 // [B·L, E] of each layer with a router
  std::vector<Tensor> encoder_hidden_states, decoder_hidden_states;  // the same of an encoder-decoder

  /// The output of that name ("logits", "hidden_states.2"), undefined if there is none.
  Tensor find(std::string_view name) const;
};

/// What heads and generation need to know of any config.
struct CommonConfig {
  std::string model_type;
  std::int64_t vocab_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t max_position_embeddings = 0;  // 0: no limit
  bool learned_positions = false;            // a table: no position beyond the limit exists
  bool mixes_lengths = false;                // one pass may go on with cached texts of different lengths
  std::optional<std::int64_t> pad_token_id, bos_token_id, decoder_start_token_id;
  std::vector<std::int64_t> eos_token_id;
  std::int64_t num_labels = 2;
  std::vector<std::string> labels;  // by id, when the config names them
  std::string problem_type;
  bool tie_word_embeddings = true;

  /// The keys that all configs share. `tie_default` is the architecture's.
  static CommonConfig parse(const Json& config, std::string_view where, bool tie_default);
};

class Model {
 public:
  virtual ~Model() = default;
  virtual ModelOutput forward(const ModelInputs& inputs) const = 0;

  const CommonConfig& common() const { return common_; }
  /// Every weight under its checkpoint name.
  const std::vector<NamedTensor>& named_parameters() const { return parameters_->named(); }
  std::int64_t parameter_count() const { return parameters_->count(); }
  const Parameters& parameters() const { return *parameters_; }
  /// The config as it was read.
  const Json& config() const { return config_; }
  /// The class's name in transformers: "LlamaForCausalLM".
  const std::string& class_name() const { return class_name_; }
  /// True when forward gives next-token logits and takes a cache.
  virtual bool can_generate() const { return false; }
  /// True when forward has a decoder that reads decoder_input_ids, beside the encoder that reads everything else.
  virtual bool is_encoder_decoder() const { return false; }
  /// Runs the encoder of an encoder-decoder alone: encoder_last_hidden_state, and encoder_hidden_states when asked for.
  /// forward takes the former back as encoder_hidden_states. Other models: unsupported.
  virtual ModelOutput encode(const ModelInputs& inputs) const;

 protected:
  CommonConfig common_;

 private:
  friend struct ModelBuilder;
  std::shared_ptr<Parameters> parameters_;
  Json config_;
  std::string class_name_;
};

/// Writes config.json and model.safetensors into `folder` (made if needed), each whole or not at all; of a model with
/// an adapter beside its weights the adapter's two files alone, as peft does.
void save_pretrained(const Model& model, const std::filesystem::path& folder);

}  // namespace trustformers
