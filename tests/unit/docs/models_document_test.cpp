// docs/models.md is what the registry and the golden cases say.
#include <doctest/doctest.h>

#include "base/file.h"
#include "goldens/models_table.h"

namespace trustformers {
namespace {

TEST_CASE("docs: models.md is current (./dev docs writes it)") {
  const std::filesystem::path tests = TRUSTFORMERS_TEST_DATA;
  CHECK(read_text_file(tests.parent_path() / "docs" / "models.md") == goldens::models_document(tests / "goldens"));
}

}  // namespace
}  // namespace trustformers
