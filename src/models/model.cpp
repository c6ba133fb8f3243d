#include "model.h"

#include <charconv>

#include "../base/file.h"
#include "../nn/adapter.h"
#include "../nn/attention.h"
#include "../nn/config.h"

namespace trustformers {

Tensor* ModelInputs::find(std::string_view name) {
  const std::pair<std::string_view, Tensor*> members[] = {{"input_ids", &input_ids},
                                                          {"inputs_embeds", &inputs_embeds},
                                                          {"attention_mask", &attention_mask},
                                                          {"token_type_ids", &token_type_ids},
                                                          {"position_ids", &position_ids},
                                                          {"encoder_hidden_states", &encoder_hidden_states},
                                                          {"encoder_attention_mask", &encoder_attention_mask},
                                                          {"decoder_input_ids", &decoder_input_ids},
                                                          {"decoder_inputs_embeds", &decoder_inputs_embeds},
                                                          {"decoder_attention_mask", &decoder_attention_mask},
                                                          {"labels", &labels},
                                                          {"start_positions", &start_positions},
                                                          {"end_positions", &end_positions},
                                                          {"next_sentence_label", &next_sentence_label},
                                                          {"sentence_order_label", &sentence_order_label},
                                                          {"mc_token_ids", &mc_token_ids},
                                                          {"mc_labels", &mc_labels}};
  for (const auto& [known, member] : members)
    if (known == name) return member;
  return nullptr;
}

Tensor self_key_mask(const ModelInputs& in) {
  if (!in.attention_mask.defined()) return Tensor();
  const Tensor& x = in.inputs_embeds.defined() ? in.inputs_embeds : in.input_ids;
  return key_mask(in.attention_mask, "attention_mask", x.size(0), x.size(1) + (in.cache ? in.cache->length() : 0));
}

Tensor cross_key_mask(const ModelInputs& in) {
  if (!in.encoder_attention_mask.defined()) return Tensor();
  // A cache that holds the keys of the states needs them no longer.
  const Tensor& counted = in.encoder_hidden_states.defined() ? in.encoder_hidden_states : in.encoder_attention_mask;
  return key_mask(in.encoder_attention_mask, "encoder_attention_mask", counted.size(0), counted.size(1));
}

Tensor ModelOutput::find(std::string_view name) const {
  const std::pair<std::string_view, const Tensor*> members[] = {
      {"last_hidden_state", &last_hidden_state},
      {"pooler_output", &pooler_output},
      {"logits", &logits},
      {"start_logits", &start_logits},
      {"end_logits", &end_logits},
      {"prediction_logits", &prediction_logits},
      {"seq_relationship_logits", &seq_relationship_logits},
      {"sop_logits", &sop_logits},
      {"encoder_last_hidden_state", &encoder_last_hidden_state},
      {"mc_logits", &mc_logits},
      {"loss", &loss},
      {"aux_loss", &aux_loss},
      {"mc_loss", &mc_loss}};
  for (const auto& [known, member] : members)
    if (known == name) return *member;
  const std::pair<std::string_view, const std::vector<Tensor>*> lists[] = {
      {"hidden_states.", &hidden_states},
      {"encoder_hidden_states.", &encoder_hidden_states},
      {"decoder_hidden_states.", &decoder_hidden_states}};
  for (const auto& [prefix, list] : lists) {
    if (!name.starts_with(prefix)) continue;
    std::size_t index = list->size();
    std::from_chars(name.data() + prefix.size(), name.data() + name.size(), index);
    if (index < list->size()) return (*list)[index];
  }
  return Tensor();
}

CommonConfig CommonConfig::parse(const Json& config, std::string_view where, bool tie_default) {
  CommonConfig c;
  c.tie_word_embeddings = tie_default;
  ConfigReader v(config, where);
  v("model_type", c.model_type);
  v.size("vocab_size", c.vocab_size);
  v.size("hidden_size", c.hidden_size, {"n_embd", "d_model", "dim", "n_embed"});
  v("max_position_embeddings", c.max_position_embeddings, {"n_positions", "n_ctx"});
  v("pad_token_id", c.pad_token_id);
  v("bos_token_id", c.bos_token_id);
  v("eos_token_id", c.eos_token_id);
  v("decoder_start_token_id", c.decoder_start_token_id);
  v("problem_type", c.problem_type);
  v("tie_word_embeddings", c.tie_word_embeddings);
  // transformers lets id2label decide; num_labels alone is how older files say it
  if (const Json* labels = config.find("id2label"); labels && labels->is_object() && labels->size() > 0) {
    c.num_labels = static_cast<std::int64_t>(labels->size());
    c.labels.resize(labels->size());
    for (const auto& [id, name] : labels->as_object()) {
      std::size_t index = c.labels.size();
      std::from_chars(id.data(), id.data() + id.size(), index);
      check(index < c.labels.size(), ErrorCode::parse, "[config] ", where, ": \"id2label\" has the key \"", id,
            "\" among ", c.labels.size());
      c.labels[index] = name.as_string("id2label");
    }
  }
  check(!c.decoder_start_token_id || *c.decoder_start_token_id < c.vocab_size, ErrorCode::parse, "[config] ", where,
        ": \"decoder_start_token_id\" is ", c.decoder_start_token_id.value_or(0), ", the vocabulary has ", c.vocab_size,
        " tokens");
  v("num_labels", c.num_labels);
  check(c.num_labels >= 1 && c.num_labels < (1 << 24), ErrorCode::parse, "[config] ", where,
        ": \"num_labels\" must be a positive number, got ", c.num_labels);
  return c;
}

ModelOutput Model::encode(const ModelInputs&) const {
  fail(ErrorCode::unsupported, "[encode] ", class_name_, " is not an encoder-decoder");
}

void save_pretrained(const Model& model, const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  check(!error, ErrorCode::io, "[save_pretrained] cannot make ", folder.string(), ": ", error.message());
  const ParameterOptions& options = model.parameters().options();
  if (options.adapter && !options.merge_adapter) return options.adapter->save(folder, model.named_parameters());
  std::vector<NamedTensor> tensors = model.named_parameters();
  const std::vector<NamedTensor>& buffers = model.parameters().buffers();
  tensors.insert(tensors.end(), buffers.begin(), buffers.end());
  save_safetensors(folder / "model.safetensors", tensors);
  write_file_atomically(folder / "config.json", [&](const ByteSink& sink) {
    const std::string text = model.config().dump(2) + "\n";
    sink(std::as_bytes(std::span(text.data(), text.size())));
  });
}

}  // namespace trustformers
