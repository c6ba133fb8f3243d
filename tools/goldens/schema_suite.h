// The JSON-Schema-Test-Suite: a grammar made of a schema must refuse every invalid instance.
#pragma once

#include <filesystem>

#include "report.h"

namespace trustformers::goldens {

/// True for a draft's folder of the suite (tests/draft7).
bool is_schema_suite(const std::filesystem::path& folder);
/// One row for each invalid instance, in all orders of its members; schemas that are refused by name become skips.
/// Optional tests, in folders below, are left out.
void run_schema_suite(const std::filesystem::path& folder, Report& report);

}  // namespace trustformers::goldens
