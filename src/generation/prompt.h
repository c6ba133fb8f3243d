// What generate() continues, taken out of a model's inputs.
#pragma once

#include "../models/model.h"
#include "config.h"

namespace trustformers {

struct Prompt {
  std::int64_t batch = 0, length = 0;
  std::vector<std::int64_t> ids;   // [B, L]
  std::vector<std::uint8_t> mask;  // [B, L], or empty when nothing is padded
  /// What every forward pass gets beside the tokens: an encoder's states and their mask.
  ModelInputs context;
  /// The tokens that each row answers to: the encoder's input, or the prompt; without padding.
  std::vector<std::vector<std::int64_t>> sources;
};

/// Runs the encoder of an encoder-decoder. Errors: as generate().
Prompt make_prompt(const Model& model, const ModelInputs& inputs, const GenerationConfig& config);

}  // namespace trustformers
