// Model folders without a tokenizer.json: which files there are, and what transformers makes of them for each class of
// tokenizer.
#pragma once

#include "../base/file_set.h"
#include "../base/json.h"
#include "tokenizer_parts.h"

namespace trustformers {

/// `config` is tokenizer_config.json, or an empty object. Errors: not_found, when the folder has no vocabulary;
/// unsupported, naming a class of tokenizer that is not known.
TokenizerParts parts_from_folder(const FileSet& folder, const Json& config);

}  // namespace trustformers
