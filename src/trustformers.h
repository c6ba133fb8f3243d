// The whole C++ interface: #include <trustformers/trustformers.h>
#pragma once

#include "base/error.h"
#include "base/log.h"
#include "base/progress.h"
#include "tensor/context.h"
#include "tensor/tensor.h"
