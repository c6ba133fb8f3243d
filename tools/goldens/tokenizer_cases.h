// Tokenizer cases: folders with case.json and rows in cases.json (or components), as goldens/tokenizers/README.md says.
#pragma once

#include <filesystem>

#include "report.h"

namespace trustformers::goldens {

/// Runs one folder; every kind of comparison (ids, offsets, decode, …) is one row, its error the number of texts that
/// differ. A published tokenizer that is not in the folder is looked for as `$TRUSTFORMERS_TOKENIZERS/<folder
/// name>.json`.
void run_tokenizer_case(const std::filesystem::path& folder, Report& report);

/// Runs the rows of tokens.json beside a model.gguf.
void run_gguf_tokens(const std::filesystem::path& folder, Report& report);

}  // namespace trustformers::goldens
