// Every op of the house, for conformance tests, support tables and lowering.
#pragma once

#include <span>

#include "../tensor/op.h"

namespace trustformers {

std::span<const OpDef* const> all_ops();

}  // namespace trustformers
