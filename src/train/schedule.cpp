#include "schedule.h"

#include <algorithm>

#include "../base/error.h"

namespace trustformers {

Schedule constant_schedule(double lr) {
  return [lr](std::int64_t) { return lr; };
}

Schedule linear_schedule(double lr, std::int64_t warmup_steps, std::int64_t total_steps) {
  check(warmup_steps >= 0 && total_steps >= warmup_steps, ErrorCode::invalid_argument,
        "[schedule] needs 0 <= warmup_steps <= total_steps, got ", warmup_steps, " and ", total_steps);
  return [=](std::int64_t step) {
    if (step < warmup_steps) return lr * static_cast<double>(step) / static_cast<double>(warmup_steps);
    const auto left = static_cast<double>(std::max<std::int64_t>(0, total_steps - step));
    return lr * left / static_cast<double>(std::max<std::int64_t>(1, total_steps - warmup_steps));
  };
}

}  // namespace trustformers
