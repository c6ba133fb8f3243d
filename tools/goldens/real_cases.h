// Cases of published models, whose weights lie elsewhere on the machine.
#pragma once

#include "case.h"

namespace trustformers::goldens {

/// Text generation: greedy ids and first logits, with f32 and with 8-bit activations, prompts' ids, perplexity.
/// Feature extraction: sentence embeddings, in a batch and alone. Other tasks, and models that are not here, become
/// skips.
void run_real_case(const Case& c, const Options& options, Report& report);

}  // namespace trustformers::goldens
