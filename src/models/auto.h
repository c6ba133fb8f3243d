// Opening models by what their files say they are.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "../base/progress.h"
#include "../weights/source.h"
#include "architectures.h"

namespace trustformers {

struct LoadOptions {
  /// The class to build: a task, or a name of transformers ("BertForMaskedLM") that goes before it.
  Task task = Task::base;
  std::string class_name = {};
  ParameterOptions parameters = {};  // its adapter is set from the folder below
  /// Folder of a LoRA adapter (peft's files) to put on top.
  std::filesystem::path adapter = {};
};

/// A model's files before anything is built: config and weights, from a folder of safetensors or from GGUF.
struct Checkpoint {
  std::filesystem::path path;  // the folder or file that was given
  Json config;                 // config.json, or what the GGUF metadata say in its words
  std::string config_where;    // named in errors
  std::shared_ptr<const WeightSource> weights;
  const Architecture* architecture = nullptr;
  bool gguf = false;
};

/// `path` is a folder (config.json beside weights, or one GGUF file), a .gguf or a .safetensors file with config.json
/// beside it. Reads headers only. Errors: not_found, parse, unsupported (naming the model_type).
Checkpoint open_checkpoint(const std::filesystem::path& path);

/// The same of files that were opened already: the text of config.json and its weights, or those of a GGUF file with
/// its metadata. `path` names the checkpoint in errors.
Checkpoint make_checkpoint(std::string_view config, std::string_view path, std::shared_ptr<const WeightSource> weights);
Checkpoint make_gguf_checkpoint(const GgufMetadata& metadata, std::string_view path,
                                std::shared_ptr<const WeightSource> weights);

/// Builds the model and loads its weights. All that is missing or misshapen is told in one error.
std::unique_ptr<Model> load_model(const Checkpoint& checkpoint, const LoadOptions& options = {});
/// A model with fresh weights.
std::unique_ptr<Model> init_model(const Json& config, std::uint64_t seed, const LoadOptions& options = {});
/// A model without weights: forward cannot run, counting can.
std::unique_ptr<Model> meta_model(const Json& config, const LoadOptions& options = {});

/// Where each parameter may lie in the checkpoint: under its name, with or without the body's prefix, in old spelling,
/// or as GGUF calls it.
Parameters::NameMap checkpoint_names(const Checkpoint& checkpoint);

}  // namespace trustformers
