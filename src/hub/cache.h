// Finding models on this machine: paths, hub ids in the Hugging Face cache, and models fetched by name. Never online.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace trustformers::hub {

/// `org/name` or `name`, with an optional `@revision` (a branch, a tag or a commit; "main" when absent).
struct ModelId {
  std::string repository;
  std::string revision = "main";
};
/// Errors: invalid_argument for what cannot be an id (empty parts, "..", characters a repository cannot have).
ModelId parse_model_id(std::string_view text);

/// Where models are looked for, in this order: HF_HUB_CACHE, HF_HOME/hub, XDG_CACHE_HOME/huggingface/hub,
/// ~/.cache/huggingface/hub.
std::vector<std::filesystem::path> hub_caches();
/// XDG_CACHE_HOME/trustformers/models, else ~/.cache/trustformers/models: one plain folder a model.
std::vector<std::filesystem::path> fetched_models();

/// The folder or file of a model: `model` itself when such a path exists; a name in fetched_models(); else the snapshot
/// of a hub id. Errors: not_found, listing where was looked.
std::filesystem::path resolve_model(std::string_view model);

}  // namespace trustformers::hub
