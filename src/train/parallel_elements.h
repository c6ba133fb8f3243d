// Elementwise loops of the optimizers on the context's threads.
#pragma once

#include <cstddef>

#include "../tensor/context.h"

namespace trustformers {

/// Calls body(i) for i in [0, count). Each element is computed alone, so the number of threads changes no result.
template <class Body>
void parallel_elements(std::size_t count, const Body& body) {
  constexpr std::int64_t grain = 16384;  // below, a phase of the pool costs more than the work
  Context::current().threads().parallel_for(static_cast<std::int64_t>(count), grain,
                                            [&](std::int64_t begin, std::int64_t end) {
                                              for (std::int64_t i = begin; i < end; ++i)
                                                body(static_cast<std::size_t>(i));
                                            });
}

}  // namespace trustformers
