// Learning rates that change with the step.
#pragma once

#include <cstdint>
#include <functional>

namespace trustformers {

/// The learning rate of a step, counted from 0.
using Schedule = std::function<double(std::int64_t step)>;

Schedule constant_schedule(double lr);
/// From 0 up to `lr` in `warmup_steps`, then down to 0 at `total_steps`, both in a straight line: as
/// get_linear_schedule_with_warmup of transformers, so the first step of a warm-up has the rate 0.
Schedule linear_schedule(double lr, std::int64_t warmup_steps, std::int64_t total_steps);

}  // namespace trustformers
