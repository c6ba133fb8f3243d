// The list of architectures, and what each one declares.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../weights/gguf_metadata.h"
#include "../weights/source.h"
#include "model.h"

namespace trustformers {

/// What an AutoModel class asks for.
enum class Task {
  base,
  causal_lm,
  seq2seq_lm,
  masked_lm,
  sequence_classification,
  token_classification,
  question_answering,
  multiple_choice,
  next_sentence_prediction,
  pretraining
};
/// "causal_lm", ...
std::string_view to_string(Task task);

/// Builds a model from config.json, registering its parameters under `root`. `where` is named in errors.
using MakeModel = std::function<std::unique_ptr<Model>(const Json& config, std::string_view where, const Scope& root)>;

struct ModelClass {
  std::string name;  // in transformers: "BertForMaskedLM"
  Task task;
  MakeModel make;
};

/// Given the config, what turns a tensor of the file into the model's layout.
using GgufTransform = std::function<std::function<Tensor(const Tensor&)>(const Json& config)>;

/// One module name and its name in GGUF files; `#` is a layer number. ".weight" and ".bias" follow both. A row may
/// also name a single tensor, both names being whole then.
struct GgufName {
  std::string ours;
  std::string theirs;
  GgufTransform transform = nullptr;  // of the weight (and bias); empty: none
  bool transforms_bias = true;
};

struct GgufArchitecture {
  std::string_view name;  // general.architecture in the file
  std::string_view second_name = {};
  /// config.json as transformers would write it; empty: there is no such GGUF architecture.
  std::function<Json(const GgufMetadata&)> config;
  std::vector<GgufName> names;
  /// Adds to the config what only the tensors tell; empty: nothing.
  std::function<void(const WeightSource&, Json& config)> from_tensors = nullptr;
};

struct Architecture {
  std::string_view model_type;
  std::string_view base_prefix;  // what the body is called inside the heads: "bert" in "bert.encoder.layer.0"
  std::vector<ModelClass> classes;
  GgufArchitecture gguf = {};
};

/// All architectures: one line each in registry.cpp.
std::span<const Architecture> all_architectures();
/// nullptr when there is none.
const Architecture* find_architecture(std::string_view model_type);
/// By the name in GGUF files.
const Architecture* find_gguf_architecture(std::string_view name);

// Helpers of the GGUF tables.
/// The keys that decoders share: sizes, heads, norms, experts, positions, rope, special tokens. `model_type` is what
/// transformers calls the architecture.
Json gguf_decoder_config(const GgufMetadata& metadata, std::string_view architecture, std::string_view model_type);
/// The names of a decoder with llama's: q_proj … o_proj, gate_proj … down_proj, input_layernorm.
std::vector<GgufName> gguf_decoder_names();
/// A decoder with those names; `model_type` empty: as `name`.
GgufArchitecture gguf_decoder(std::string_view name, std::string_view model_type = {});
/// Lets `more` add to the config.
void extend_gguf_config(GgufArchitecture& table, std::function<void(const GgufMetadata&, Json& config)> more);
/// Lets `theirs` stand for `ours` in the table, and nothing else for either.
void set_gguf_name(GgufArchitecture& table, std::string_view ours, std::string_view theirs);
/// The file's norms hold one plus the weight that the model asks for (Gemma).
void shift_gguf_norms(GgufArchitecture& table);
/// A view of [N, K] as [K, N]; vectors stay.
Tensor swap_matrix(const Tensor& t);
/// Undoes llama.cpp's stacking of fused projections: rows [q; k; v] back to one group for each key head, of its
/// queries, its key and its value.
Tensor group_rows_by_key_head(const Tensor& t, std::int64_t heads, std::int64_t kv_heads);
/// The same as a transform, for models that have as many key heads as query heads.
GgufTransform gguf_grouped_projection();
/// Undoes llama.cpp's reordering of rotary rows: [heads, D/2, 2] back to [heads, 2, D/2].
Tensor permute_rows_from_pairs(const Tensor& t, std::int64_t heads);
/// The rows of queries and keys lie in pairs in the file, in halves in the model.
void pair_gguf_heads(GgufArchitecture& table);
/// "layer_types" from the file's list of local layers, and their window; nothing when the file has no such list.
void set_gguf_windows(const GgufMetadata& metadata, std::string_view architecture, Json& config);
/// The two sets of factors of a long rope ("rope_type", "short_factor", "long_factor") from the file's tensors; nothing
/// when it has none.
void set_gguf_long_rope(const WeightSource& source, Json& config);
/// Granite's four multipliers.
void set_granite_scales(const GgufMetadata& metadata, const std::string& architecture, Json& config);
/// Adds a router and stacked experts at these places of the model ("model.layers.#.mlp.gate", "….mlp.experts").
void add_gguf_experts(GgufArchitecture& table, std::string_view router, std::string_view experts);

}  // namespace trustformers
