// The context that a process has when nobody makes another.
#pragma once

#include <string_view>

namespace trustformers {

/// How many threads it gets, as in ThreadPool. Errors: invalid_argument once it exists, and for numbers below 0.
void set_process_threads(int threads);
/// The instruction set of the CPU kernels in use: "avx2", "simd128". Defined in backends/cpu.
std::string_view cpu_kernels_name();

}  // namespace trustformers
