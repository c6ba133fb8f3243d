// docs/models.md: what the registry and the golden cases say of every architecture.
#pragma once

#include <filesystem>
#include <string>

namespace trustformers::goldens {

/// The document in Markdown. `cases` is the folder of golden cases that travels with the repository; all of them pass,
/// or the unit tests fail.
std::string models_document(const std::filesystem::path& cases);

}  // namespace trustformers::goldens
