// What the tasks that generate text have in common: their settings, and runs of many prompts.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "pipeline_task.h"

namespace trustformers {

/// The model's settings, under those of the call; `defaults` of the task count where neither names them (and
/// max_new_tokens not where there is a max_length). The tokenizer's padding token serves a model without one.
GenerationConfig call_config(const PipelineParts& parts, const Json& defaults, const Json& call);

/// The options that are settings of generation: all that nobody read, those of an object generation_config under them,
/// and stop_sequence as stop_strings. max_length, which also limits prompts, is one of them.
Json read_generation_settings(CallOptions& options);

/// A prompt as it goes in, and what came out.
struct GenerationPrompt {
  std::vector<std::int64_t> ids;         // of an encoder-decoder: what its encoder reads
  std::vector<std::int64_t> start = {};  // in front of what comes out without being part of the prompt
};
/// The sequences of each prompt: new tokens, or all of the decoder's for an encoder-decoder. They are as long as if the
/// prompt had been alone. Batches are of neighbours in length; with limits that count the prompt, of equal length.
/// Stop strings run one prompt at a time. Errors: as of generate().
std::vector<std::vector<std::vector<std::int64_t>>> generate_all(const PipelineParts& parts,
                                                                 const std::vector<GenerationPrompt>& prompts,
                                                                 const GenerationConfig& config,
                                                                 std::int64_t batch_size, const CancelToken& cancel);

using SequenceRecord = std::function<Json(const std::vector<std::int64_t>& sequence)>;
/// The stream of one prompt; see TextStream::Setup for `record` and `session`.
TextStream stream_one(const PipelineParts& parts, const GenerationPrompt& prompt, GenerationConfig config,
                      bool skip_special_tokens, const CancelToken& cancel, SequenceRecord record = {},
                      std::shared_ptr<Session> session = {});

}  // namespace trustformers
