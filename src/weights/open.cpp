#include "open.h"

#include <algorithm>
#include <vector>

#include "gguf.h"
#include "safetensors.h"

namespace trustformers {
namespace {

namespace fs = std::filesystem;

/// "-00002-of-00003.gguf" and higher: parts that the first shard stands for.
bool is_later_shard(const std::string& name) {
  constexpr std::size_t ending = sizeof("-00001-of-00001.gguf") - 1;
  if (name.size() < ending) return false;
  const std::string_view tail = std::string_view(name).substr(name.size() - ending);
  return tail.front() == '-' && tail.substr(6, 4) == "-of-" && tail.substr(1, 5) != "00001";
}

std::vector<fs::path> gguf_models(const fs::path& folder) {
  std::vector<fs::path> models;
  std::error_code reason;
  for (auto item = fs::directory_iterator(folder, reason); !reason && item != fs::directory_iterator();
       item.increment(reason))
    if (item->path().extension() == ".gguf" && !is_later_shard(item->path().filename().string()))
      models.push_back(item->path());
  check(!reason, ErrorCode::io, "[weights] cannot list ", folder.string(), ": ", reason.message());
  std::sort(models.begin(), models.end());
  return models;
}

bool is_there(const fs::path& path) {
  std::error_code reason;  // a folder that may not be searched counts as one without the file
  return fs::exists(path, reason);
}

}  // namespace

fs::path find_weights(const fs::path& folder) {
  for (const char* name : {"model.safetensors", "model.safetensors.index.json"})
    if (is_there(folder / name)) return folder / name;
  const std::vector<fs::path> models = gguf_models(folder);
  check(!models.empty(), ErrorCode::not_found,
        "[weights] expected model.safetensors, model.safetensors.index.json or a .gguf file in ", folder.string(),
        ", found none");
  check(models.size() == 1, ErrorCode::invalid_argument, "[weights] ", folder.string(), " holds ", models.size(),
        " GGUF models (", models.front().filename().string(), ", ", models.back().filename().string(),
        ", ...): name one");
  return models.front();
}

std::shared_ptr<WeightSource> open_weights(const fs::path& path) {
  std::error_code reason;
  if (fs::is_directory(path, reason)) return open_weights(find_weights(path));
  check(is_there(path), ErrorCode::not_found, "[weights] no such file or folder: ", path.string());
  if (path.extension() == ".gguf") return open_gguf(path);
  if (path.extension() == ".safetensors" || path.extension() == ".json") return open_safetensors(path);
  fail(ErrorCode::unsupported, "[weights] expected a .safetensors, .index.json or .gguf file, got ", path.string());
}

}  // namespace trustformers
