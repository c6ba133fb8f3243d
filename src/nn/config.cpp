#include "config.h"

namespace trustformers {

const Json* ConfigReader::find(std::string_view key, Aliases aliases) const {
  const auto present = [&](std::string_view name) -> const Json* {
    const Json* found = object_.find(name);
    return found && !found->is_null() ? found : nullptr;
  };
  if (const Json* found = present(key)) return found;
  for (const std::string_view alias : aliases)
    if (const Json* found = present(alias)) return found;
  return nullptr;
}

}  // namespace trustformers
