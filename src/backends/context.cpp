// Where a Context gets its machines and its tape: the only place that knows both.
#include "../tensor/context.h"

#include "../autograd/tape.h"
#include "cpu/cpu_device.h"

namespace trustformers {

std::unique_ptr<Context> make_context(int threads) {
  return std::make_unique<Context>(threads, cpu::make_cpu_device(), make_tape());
}

}  // namespace trustformers
