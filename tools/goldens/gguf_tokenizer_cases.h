// The tokenizers inside GGUF files.
#pragma once

#include "case.h"

namespace trustformers::goldens {

/// tokens.json beside model.gguf: one row, its error the number of texts whose ids differ. Cases without such a file
/// add nothing.
void run_gguf_tokenizer_case(const Case& c, Report& report);

}  // namespace trustformers::goldens
