#include "inspect.h"

#include <algorithm>
#include <set>

namespace trustformers {
namespace {

std::string default_class(const Checkpoint& checkpoint) {
  if (const Json* named = checkpoint.config.find("architectures"); named && named->is_array())
    for (const Json& name : named->as_array())
      for (const ModelClass& c : checkpoint.architecture->classes)
        if (name.is_string() && name.as_string() == c.name) return std::string(c.name);
  // A GGUF file has no such key; those with a next-token head are made for it.
  for (const ModelClass& c : checkpoint.architecture->classes)
    if (checkpoint.gguf && c.task == Task::causal_lm && checkpoint.architecture->model_type != "bert")
      return std::string(c.name);
  return std::string(checkpoint.architecture->classes[0].name);
}

std::int64_t cache_bytes(const Json& config) {
  const auto number = [&](std::initializer_list<std::string_view> keys) -> std::int64_t {
    for (const std::string_view key : keys)
      if (const Json* found = config.find(key); found && found->is_int()) return found->as_int();
    return 0;
  };
  const std::int64_t heads =
      std::max<std::int64_t>(1, number({"decoder_attention_heads", "num_attention_heads", "n_head", "num_heads"}));
  const std::int64_t kv_heads = number({"num_key_value_heads"}) ? number({"num_key_value_heads"}) : heads;
  const std::int64_t head_dim = number({"head_dim", "d_kv"}) ? number({"head_dim", "d_kv"})
                                                             : number({"hidden_size", "n_embd", "d_model"}) / heads;
  return 2 * number({"num_decoder_layers", "decoder_layers", "num_hidden_layers", "n_layer", "num_layers"}) * kv_heads *
         head_dim * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace

Inspection inspect(const Checkpoint& checkpoint, std::string class_name) {
  if (class_name.empty()) class_name = default_class(checkpoint);
  LoadOptions options;
  options.class_name = class_name;
  const std::unique_ptr<Model> model = meta_model(checkpoint.config, options);
  Inspection out;
  out.model_type = checkpoint.architecture->model_type;
  out.class_name = model->class_name();
  out.parameters = model->parameter_count();
  if (model->can_generate()) out.cache_bytes_per_token = cache_bytes(checkpoint.config);

  const Parameters::NameMap names = checkpoint_names(checkpoint);
  std::set<std::string> used;
  for (const ParameterShape& wanted : model->parameters().shapes()) {
    const TensorEntry* found = nullptr;
    bool transformed = false;
    for (const StoredName& candidate : names(wanted.name)) {
      found = checkpoint.weights->find(candidate.name);
      transformed = candidate.transform != nullptr;
      if (found) break;
    }
    if (!found) {
      if (!wanted.optional) out.report.add_missing(wanted.name);
      continue;
    }
    used.insert(found->name);
    out.weight_bytes += static_cast<std::int64_t>(found->bytes);
    out.dtypes[std::string(found->stored)] += static_cast<std::int64_t>(found->bytes);
    // A layout transform may turn the matrix; then only the number of elements can be compared.
    const bool fits =
        transformed ? element_count(found->shape) == element_count(wanted.shape) : found->shape == wanted.shape;
    if (!fits)
      out.report.add_misshapen(wanted.name, wanted.shape, found->shape, checkpoint.weights->location(found->name));
  }
  for (const NamedTensor& buffer : model->parameters().buffers())
    for (const StoredName& candidate : names(buffer.name)) used.insert(candidate.name);
  for (const TensorEntry& entry : checkpoint.weights->entries())
    if (!used.contains(entry.name)) out.report.add_unexpected(entry.name);
  return out;
}

}  // namespace trustformers
