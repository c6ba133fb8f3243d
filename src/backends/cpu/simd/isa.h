// The instruction sets the kernels were compiled for, and the one in use.
#pragma once

#include <span>
#include <string_view>

#include "kernel_table.h"

namespace trustformers::cpu {

/// One compiled set of kernels.
struct Isa {
  std::string_view name;  // "scalar", "avx2", "avx512", "simd128", "relaxed_simd"
  const KernelTable& (*kernels)();
};

/// The sets this build has and this machine can run, the best last. "scalar" is always the first,
/// but for WebAssembly, whose modules hold one set.
std::span<const Isa> available_isas();

/// The set in use: the best one, or the one TRUSTFORMERS_ISA names (an unknown or unavailable name is an error:
/// invalid_argument).
const Isa& current_isa();
/// For tests and benchmarks: no kernel may be running meanwhile.
void use_isa(const Isa& isa);

inline const KernelTable& kernels() { return current_isa().kernels(); }

}  // namespace trustformers::cpu
