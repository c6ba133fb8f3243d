// Opens the weights of a model wherever they lie.
#pragma once

#include <filesystem>
#include <memory>

#include "source.h"

namespace trustformers {

/// `path` is a .safetensors file, its .index.json, a .gguf file (or one of its shards), or a folder that holds
/// model.safetensors, model.safetensors.index.json or one GGUF model, looked for in this order.
/// Errors: not_found, and unsupported for other kinds of files.
std::shared_ptr<WeightSource> open_weights(const std::filesystem::path& path);

/// The file of a folder that open_weights would read. Errors: not_found; invalid_argument where several GGUF models
/// lie.
std::filesystem::path find_weights(const std::filesystem::path& folder);

}  // namespace trustformers
