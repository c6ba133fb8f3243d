#include "file_set.h"

#include <algorithm>

#include "error.h"
#include "file.h"

namespace trustformers {

namespace fs = std::filesystem;

std::optional<std::string> FolderFiles::read(std::string_view name) const {
  const fs::path path = folder_ / fs::path(name);
  std::error_code reason;  // a folder that may not be searched counts as one without the file
  if (!fs::exists(path, reason)) return std::nullopt;
  return read_text_file(path);
}

std::vector<std::string> FolderFiles::list(std::string_view folder) const {
  std::vector<std::string> names;
  std::error_code reason;
  for (auto item = fs::directory_iterator(folder_ / fs::path(folder), reason);
       !reason && item != fs::directory_iterator(); item.increment(reason))
    if (item->is_regular_file(reason)) names.push_back(item->path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

void check_file_name(std::string_view name) {
  const auto part_is_plain = [](std::string_view part) { return !part.empty() && part != "." && part != ".."; };
  bool plain = name.find('\\') == std::string_view::npos && name.find('\0') == std::string_view::npos;
  for (std::size_t at = 0; plain && at <= name.size();) {
    const std::size_t end = std::min(name.find('/', at), name.size());
    plain = part_is_plain(name.substr(at, end - at));
    at = end + 1;
  }
  check(plain, ErrorCode::invalid_argument, "[files] expected a relative path such as \"config.json\", got \"", name,
        "\"");
}

void MemoryFiles::add(std::string name, std::string content) {
  check_file_name(name);
  const auto [at, added] = files_.try_emplace(std::move(name));
  check(added, ErrorCode::invalid_argument, "[files] \"", at->first, "\" was added already");
  at->second = std::move(content);
}

std::optional<std::string> MemoryFiles::read(std::string_view name) const {
  const auto at = files_.find(name);
  return at == files_.end() ? std::nullopt : std::optional(at->second);
}

std::vector<std::string> MemoryFiles::list(std::string_view folder) const {
  const std::string prefix = folder.empty() ? std::string() : std::string(folder) + "/";
  std::vector<std::string> names;
  for (const auto& [name, content] : files_)
    if (name.starts_with(prefix) && name.find('/', prefix.size()) == std::string::npos)
      names.push_back(name.substr(prefix.size()));
  return names;
}

}  // namespace trustformers
