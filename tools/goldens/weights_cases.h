// Cases of checkpoint files: what readers must give, byte for byte, and what they must refuse.
#pragma once

#include <filesystem>

#include "../../src/base/json.h"
#include "report.h"

namespace trustformers::goldens {

/// Runs a folder of weights/ or gguf/ that is about files rather than models: hostile safetensors, every dtype, whole
/// checkpoints in safetensors (names, shapes, dtypes, sums; their logits are a model's matter), GGUF types, containers
/// and shards. `description` is its case.json. False when the folder is none of these. Errors of the reader become
/// failed rows; a case that contradicts itself throws.
bool run_weights_case(const std::filesystem::path& folder, const Json& description, Report& report);

}  // namespace trustformers::goldens
