// Small models of tests/goldens against PyTorch's outputs, generated ids, losses and gradients.
#include <doctest/doctest.h>

#include "goldens/case.h"

namespace trustformers {
namespace {

TEST_CASE("models: goldens in tests/goldens") {
  int models = 0;
  for (const goldens::Case& c : goldens::find_cases(std::filesystem::path(TRUSTFORMERS_TEST_DATA) / "goldens")) {
    if (!c.description.find("class") || !c.description.find("model_type")) continue;
    ++models;
    goldens::Report report;
    goldens::run_case(c, {}, report);
    INFO(c.name);
    CHECK(report.passed() > 0);
    CHECK(report.skips().empty());
    for (const auto& row : report.rows()) {
      INFO(row.run, ": ", row.item, ", error ", row.error, ", tolerance ", row.tolerance);
      CHECK(row.passed);
    }
  }
  CHECK(models >= 7);
}

}  // namespace
}  // namespace trustformers
