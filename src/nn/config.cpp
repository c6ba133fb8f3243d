#include "config.h"

namespace trustformers {

std::string_view KeySpellings::operator()(std::string_view key) const {
  for (const auto& [ours, theirs] : spelled_)
    if (ours == key) return theirs;
  return key;
}

ConfigReader::Found ConfigReader::find(std::string_view key, Aliases aliases) {
  const auto present = [&](std::string_view name) -> const Json* {
    const Json* found = object_.find(name);
    return found && !found->is_null() ? found : nullptr;
  };
  if (const Json* found = present(key)) return {found, key};
  for (const std::string_view alias : aliases)
    if (const Json* found = present(alias)) {
      spellings_.add(key, alias);
      return {found, alias};
    }
  return {nullptr, key};
}

}  // namespace trustformers
