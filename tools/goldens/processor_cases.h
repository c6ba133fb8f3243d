// Cases of the room generation/: each logits processor on fixed scores, and the laws of whole samplers.
#pragma once

#include "case.h"

namespace trustformers::goldens {

bool is_processor_case(const Case& c);
void run_processor_case(const Case& c, Report& report);

}  // namespace trustformers::goldens
