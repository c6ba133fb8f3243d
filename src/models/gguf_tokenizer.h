// Tokenizers for models that come as GGUF files, and for whatever else a path may name.
#pragma once

#include <filesystem>

#include "../tokenizers/gguf_vocabulary.h"
#include "../tokenizers/tokenizer.h"
#include "../weights/gguf_metadata.h"

namespace trustformers {

/// The keys tokenizer.* of a GGUF file. Errors: parse, naming a key of the wrong type.
GgufVocabulary read_gguf_vocabulary(const GgufMetadata& metadata);

/// The tokenizer of a model folder, a GGUF file or a tokenizer.json.
Tokenizer open_tokenizer(const std::filesystem::path& path);

}  // namespace trustformers
