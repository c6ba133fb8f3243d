// Training cases: losses, gradients and weights of some steps against PyTorch's.
#pragma once

#include "case.h"

namespace trustformers::goldens {

/// The `train` entry of a model case: each optimizer's steps, the gradients of the first batch, accumulation over
/// micro-batches, label smoothing. With an adapter only its weights are trained.
void run_train_cases(const Case& c, Report& report);

}  // namespace trustformers::goldens
