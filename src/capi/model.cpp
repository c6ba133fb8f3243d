// Models: opening, forward, parameters.
#include <filesystem>

#include "../hub/cache.h"
#include "../tensor/op.h"
#include "handles.h"
#include "watch.h"

using namespace trustformers;

struct tf_outputs : capi::Counted {
  std::vector<std::pair<std::string, Tensor>> list;
};

namespace trustformers::capi {
namespace {

constexpr std::string_view load_names = "task class_name trainable exact_activations adapter merge_adapter";

Task parse_task(const Options& options) {
  const std::string name = options.text("task", "base");
  std::string known;
  for (int i = 0; i <= static_cast<int>(Task::pretraining); ++i) {
    const auto task = static_cast<Task>(i);
    if (to_string(task) == name) return task;
    known += (i > 0 ? ", " : "") + std::string(to_string(task));
  }
  options.fail_type("task", "one of " + known);
}

LoadOptions load_options(const char* text, const std::shared_ptr<const Watch>& watch) {
  const Options options(text, "model", load_names);
  LoadOptions out;
  out.task = parse_task(options);
  out.class_name = options.text("class_name", "");
  out.parameters.trainable = options.flag("trainable", false);
  out.parameters.exact_activations = options.flag("exact_activations", false);
  out.parameters.merge_adapter = options.flag("merge_adapter", false);
  out.adapter = options.text("adapter", "");
  if (watch) out.parameters.progress = [watch](const ProgressEvent& event) { watch->report(event); };
  return out;
}

std::unique_ptr<tf_model> wrap_model(std::unique_ptr<Model> model, const std::optional<std::string>& generation) {
  auto out = std::make_unique<tf_model>();
  out->model = std::move(model);
  out->defaults = GenerationConfig::from_pretrained({}, out->model->config());
  if (generation) {
    out->generation_config = Json::parse(*generation, "generation_config.json");
    out->defaults.update(out->generation_config);
  }
  return out;
}

std::unique_ptr<tf_model> open_folder(std::string_view name, const LoadOptions& options) {
  const std::filesystem::path path = hub::resolve_model(name);
  const Checkpoint checkpoint = open_checkpoint(path);
  const bool folder = std::filesystem::is_directory(path);
  const FolderFiles files(folder ? path : path.parent_path());
  return wrap_model(load_model(checkpoint, options), files.read("generation_config.json"));
}

/// The first file with metadata, which must know of as many parts as there are.
const StreamedFile* find_gguf(const std::vector<StreamedFile>& files) {
  const StreamedFile* first = nullptr;
  std::int64_t parts = 0;
  for (const StreamedFile& file : files) {
    if (!file.metadata) continue;
    ++parts;
    if (file.metadata->get_int("split.no", 0) == 0) first = &file;
  }
  if (parts == 0) return nullptr;
  check(first != nullptr, ErrorCode::not_found, "[files] the first part of the GGUF model is not there");
  const std::int64_t wanted = std::max<std::int64_t>(1, first->metadata->get_int("split.count", 1));
  check(wanted == parts, ErrorCode::not_found, "[files] ", first->name, " is one of ", wanted,
        " parts of a GGUF model, but ", parts, " are there");
  return first;
}

std::unique_ptr<tf_model> open_files(tf_files::Folder& folder, const LoadOptions& options) {
  const std::optional<std::string> config = folder.small.read("config.json");
  const auto weights = std::make_shared<const MemorySource>(std::exchange(folder.weights, {}));
  check(!weights->files().empty(), ErrorCode::not_found, "[files] no .safetensors and no .gguf file was added");
  Checkpoint checkpoint;
  if (const StreamedFile* gguf = find_gguf(weights->files())) {
    checkpoint = make_gguf_checkpoint(*gguf->metadata, gguf->name, weights);
  } else {
    check(config.has_value(), ErrorCode::not_found, "[files] config.json was not added");
    checkpoint = make_checkpoint(*config, "config.json", weights);
  }
  return wrap_model(load_model(checkpoint, options), folder.small.read("generation_config.json"));
}

std::unique_ptr<tf_outputs> wrap_outputs(const ModelOutput& output) {
  auto out = std::make_unique<tf_outputs>();
  for (const char* name : {"last_hidden_state", "pooler_output", "logits", "start_logits", "end_logits",
                           "prediction_logits", "seq_relationship_logits", "sop_logits", "mc_logits", "loss",
                           "aux_loss", "mc_loss", "encoder_last_hidden_state"})
    if (Tensor tensor = output.find(name); tensor.defined()) out->list.emplace_back(name, std::move(tensor));
  const std::pair<const char*, const std::vector<Tensor>*> lists[] = {
      {"hidden_states.", &output.hidden_states},
      {"encoder_hidden_states.", &output.encoder_hidden_states},
      {"decoder_hidden_states.", &output.decoder_hidden_states}};
  for (const auto& [name, tensors] : lists)
    for (std::size_t i = 0; i < tensors->size(); ++i) out->list.emplace_back(name + std::to_string(i), (*tensors)[i]);
  return out;
}

ModelInputs forward_inputs(const tf_named_tensor* inputs, std::size_t count, const char* settings) {
  const Options options(settings, "forward", "output_hidden_states logits_to_keep label_smoothing");
  ModelInputs out = model_inputs(inputs, count);
  out.output_hidden_states = options.flag("output_hidden_states", false);
  out.logits_to_keep = options.integer("logits_to_keep", 0);
  out.label_smoothing = options.number("label_smoothing", 0);
  return out;
}

}  // namespace

ModelInputs model_inputs(const tf_named_tensor* inputs, std::size_t count) {
  if (count > 0) required(inputs, "the list of inputs");
  ModelInputs out;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view name = required_text(inputs[i].name, "an input's name");
    Tensor* const place = out.find(name);
    check(place != nullptr, ErrorCode::invalid_argument, "[forward] there is no input \"", name, "\"");
    *place = required(inputs[i].tensor, name).tensor;
  }
  return out;
}

}  // namespace trustformers::capi

using namespace trustformers::capi;

extern "C" {

tf_status tf_model_open(const char* model, const char* options, const tf_watch* watch, tf_model** out) {
  return making(
      out, [&] { return open_folder(required_text(model, "the model"), load_options(options, Watch::make(watch))); });
}

tf_status tf_model_from_files(tf_files* files, const char* options, const tf_watch* watch, tf_model** out) {
  return making(
      out, [&] { return open_files(*required(files, "the files").folder, load_options(options, Watch::make(watch))); });
}

tf_status tf_model_from_config(const char* config, uint64_t seed, const char* options, tf_model** out) {
  return making(out, [&] {
    const Json parsed = Json::parse(required_text(config, "the config"), "config.json");
    return wrap_model(init_model(parsed, seed, load_options(options, nullptr)), std::nullopt);
  });
}

void tf_model_free(tf_model* model) { delete model; }

tf_status tf_model_set_tokenizer(tf_model* model, const tf_tokenizer* tokenizer) {
  return guarded([&] {
    required(model, "the model").text = tokenizer ? std::make_shared<ModelText>(tokenizer->tokenizer) : nullptr;
  });
}

tf_status tf_model_info(const tf_model* handle, char** json) {
  return make_text(json, nullptr, [&] {
    const Model& model = *required(handle, "the model").model;
    Json out = Json::object();
    out.set("class_name", model.class_name());
    out.set("model_type", model.common().model_type);
    out.set("parameters", model.parameter_count());
    out.set("can_generate", model.can_generate());
    out.set("is_encoder_decoder", model.is_encoder_decoder());
    out.set("config", model.config());
    out.set("generation_config", handle->generation_config);
    return out.dump();
  });
}

size_t tf_model_parameter_count(const tf_model* model) { return model ? model->model->named_parameters().size() : 0; }

tf_status tf_model_parameter(const tf_model* model, size_t number, const char** name, tf_tensor** out) {
  return making(out, [&] {
    const auto& list = required(model, "the model").model->named_parameters();
    check(number < list.size(), ErrorCode::out_of_range, "[model] parameter ", number, " of ", list.size());
    if (name) *name = list[number].name.c_str();
    return wrap(list[number].tensor);
  });
}

tf_status tf_model_save(const tf_model* model, const char* folder) {
  return guarded([&] {
    save_pretrained(*required(model, "the model").model, std::filesystem::path(required_text(folder, "the folder")));
  });
}

tf_status tf_model_forward(const tf_model* model, const tf_named_tensor* inputs, size_t count, const char* options,
                           tf_outputs** out) {
  return making(out, [&] {
    return wrap_outputs(required(model, "the model").model->forward(forward_inputs(inputs, count, options)));
  });
}

tf_status tf_model_encode(const tf_model* model, const tf_named_tensor* inputs, size_t count, const char* options,
                          tf_outputs** out) {
  return making(out, [&] {
    return wrap_outputs(required(model, "the model").model->encode(forward_inputs(inputs, count, options)));
  });
}

void tf_outputs_free(tf_outputs* outputs) { delete outputs; }
size_t tf_outputs_count(const tf_outputs* outputs) { return outputs ? outputs->list.size() : 0; }
const char* tf_outputs_name(const tf_outputs* outputs, size_t number) {
  return number < tf_outputs_count(outputs) ? outputs->list[number].first.c_str() : nullptr;
}

tf_status tf_outputs_tensor(const tf_outputs* outputs, const char* name, tf_tensor** out) {
  return making(out, [&] {
    const std::string_view wanted = required_text(name, "the name");
    std::string known;
    for (const auto& [key, tensor] : required(outputs, "the outputs").list) {
      if (key == wanted) return wrap(tensor);
      known += (known.empty() ? "" : ", ") + key;
    }
    fail(ErrorCode::not_found, "[outputs] there is no output \"", wanted, "\"; there are: ", known);
  });
}
}
