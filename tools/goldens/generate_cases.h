// Generation cases: the exact ids that generate() must return.
#pragma once

#include "case.h"

namespace trustformers::goldens {

/// The `generate` list of a model case. Entries with settings that this build lacks become skips.
void run_generate_cases(const Case& c, Report& report);

}  // namespace trustformers::goldens
