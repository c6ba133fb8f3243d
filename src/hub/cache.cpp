#include "cache.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "../base/error.h"
#include "../base/file.h"

namespace trustformers::hub {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

/// Adds root / rest when root is set.
void add(std::vector<fs::path>& list, const std::string& root, std::string_view rest) {
  if (!root.empty()) list.push_back(rest.empty() ? fs::path(root) : fs::path(root) / rest);
}

bool plain_part(std::string_view part) {
  return !part.empty() && part != "." && part != ".." && std::all_of(part.begin(), part.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
}

/// Plain parts between slashes: branches may be named so ("refs/pr/1").
bool plain_path(std::string_view text) {
  for (std::size_t slash = text.find('/'); slash != std::string_view::npos; slash = text.find('/')) {
    if (!plain_part(text.substr(0, slash))) return false;
    text.remove_prefix(slash + 1);
  }
  return plain_part(text);
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// The snapshot of a repository in one cache, or an empty path.
fs::path snapshot(const fs::path& cache, const ModelId& id) {
  std::string folder = "models--" + id.repository;
  if (const std::size_t slash = folder.find('/'); slash != std::string::npos) folder.replace(slash, 1, "--");
  const fs::path root = cache / folder;
  // A revision is a commit with a snapshot of its own, or a name whose file in refs holds the commit.
  if (is_there(root / "snapshots" / id.revision)) return root / "snapshots" / id.revision;
  const fs::path ref = root / "refs" / id.revision;
  if (!is_there(ref) || fs::is_directory(ref)) return {};
  std::string commit = read_text_file(ref, 4096);
  while (!commit.empty() && std::isspace(static_cast<unsigned char>(commit.back()))) commit.pop_back();
  if (!plain_part(commit)) return {};
  const fs::path found = root / "snapshots" / commit;
  return is_there(found) ? found : fs::path();
}

}  // namespace

ModelId parse_model_id(std::string_view text) {
  ModelId id;
  const std::size_t at = text.find('@');
  id.repository = text.substr(0, at);
  if (at != std::string_view::npos) id.revision = text.substr(at + 1);
  const std::size_t slash = id.repository.find('/');
  const std::string_view repository = id.repository;
  const bool valid = slash == std::string::npos
                         ? plain_part(repository)
                         : plain_part(repository.substr(0, slash)) && plain_part(repository.substr(slash + 1));
  check(valid && plain_path(id.revision), ErrorCode::invalid_argument, "[hub] \"", text,
        "\" is neither a path that exists nor an id like org/name or org/name@revision");
  return id;
}

std::vector<fs::path> hub_caches() {
  std::vector<fs::path> list;
  add(list, environment("HF_HUB_CACHE"), "");
  add(list, environment("HF_HOME"), "hub");
  add(list, environment("XDG_CACHE_HOME"), "huggingface/hub");
  add(list, environment("HOME"), ".cache/huggingface/hub");
  return list;
}

std::vector<fs::path> fetched_models() {
  std::vector<fs::path> list;
  add(list, environment("XDG_CACHE_HOME"), "trustformers/models");
  add(list, environment("HOME"), ".cache/trustformers/models");
  return list;
}

fs::path resolve_model(std::string_view model) {
  check(!model.empty(), ErrorCode::invalid_argument, "[hub] the model's name is empty");
  fs::path path(model);
  if (is_there(path)) return path;
  const ModelId id = parse_model_id(model);
  std::string looked = "\n  " + path.string();
  for (const fs::path& folder : fetched_models()) {
    const fs::path found = folder / id.repository;
    if (is_there(found)) return found;
    looked += "\n  " + found.string();
  }
  for (const fs::path& cache : hub_caches()) {
    const fs::path found = snapshot(cache, id);
    if (!found.empty()) return found;
    looked += "\n  " + cache.string();
  }
  fail(ErrorCode::not_found, "[hub] no model \"", model, "\" on this machine; looked in", looked);
}

}  // namespace trustformers::hub
