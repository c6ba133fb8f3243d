#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "../../../tools/goldens/tokenizer_cases.h"

namespace {

namespace fs = std::filesystem;
using trustformers::goldens::Report;

void run_folders(const fs::path& root) {
  for (const auto& entry : fs::directory_iterator(root)) {
    if (!fs::exists(entry.path() / "case.json")) continue;
    Report report;
    run_tokenizer_case(entry.path(), report);
    CHECK(report.passed() + report.failed() + report.skips().size() > 0);
    for (const auto& row : report.rows()) {
      INFO(entry.path().filename().string(), ": ", row.run, ", ", row.item, ": ", row.error, " differ");
      CHECK(row.passed);
    }
  }
}

}  // namespace

TEST_CASE("tokenizers: small tokenizers give the ids, offsets and texts of the reference") {
  run_folders(fs::path(TRUSTFORMERS_TEST_DATA) / "goldens/tokenizers");
}

TEST_CASE("tokenizers: all goldens of the folder that TRUSTFORMERS_GOLDENS names") {
  const char* root = std::getenv("TRUSTFORMERS_GOLDENS");
  if (root) run_folders(fs::path(root) / "tokenizers");
}
