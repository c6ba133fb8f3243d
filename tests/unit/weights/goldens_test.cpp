// Checkpoint files of other programs. TRUSTFORMERS_GOLDENS names a folder with more cases.
#include <doctest/doctest.h>

#include <cstdlib>

#include "files.h"
#include "goldens/weights_cases.h"

namespace trustformers {
namespace {

namespace fs = std::filesystem;

/// Runs every case of a folder; returns how many there were.
int run_folder(const fs::path& root) {
  int cases = 0;
  for (const auto& item : fs::directory_iterator(root)) {
    const fs::path description = item.path() / "case.json";
    if (!fs::exists(description)) continue;
    goldens::Report report;
    if (!goldens::run_weights_case(item.path(), Json::parse(read_text_file(description)), report)) continue;
    ++cases;
    INFO(item.path().filename().string());
    CHECK(report.passed() > 0);
    for (const auto& row : report.rows()) {
      INFO(row.run, ": ", row.item, ", error ", row.error, ", tolerance ", row.tolerance);
      CHECK(row.passed);
    }
  }
  return cases;
}

TEST_CASE("weights: goldens of files in tests/goldens") {
  CHECK(run_folder(test::data("goldens/weights")) == 4);
  CHECK(run_folder(test::data("goldens/gguf")) == 3);
}

TEST_CASE("weights: goldens of files in TRUSTFORMERS_GOLDENS") {
  const char* root = std::getenv("TRUSTFORMERS_GOLDENS");
  if (!root) return;
  CHECK(run_folder(fs::path(root) / "weights") > 0);
  CHECK(run_folder(fs::path(root) / "gguf") > 0);
}

}  // namespace
}  // namespace trustformers
