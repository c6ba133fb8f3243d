// A golden case: a folder with case.json, and what running it needs to know.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "../../src/base/json.h"
#include "report.h"

namespace trustformers::goldens {

struct Case {
  std::string name;  // the folder's path below the one that was asked for
  std::filesystem::path folder;
  Json description;  // case.json
};

struct Options {
  /// Folders of real models by name: smollm2/model.gguf, minilm/model.safetensors.
  std::vector<std::filesystem::path> models;
};

/// All cases below `root` (or `root` itself), in the order of their names.
std::vector<Case> find_cases(const std::filesystem::path& root);

/// Runs everything of a case that this build has rooms for; the rest becomes skips. Errors become failed rows.
void run_case(const Case& c, const Options& options, Report& report);

}  // namespace trustformers::goldens
