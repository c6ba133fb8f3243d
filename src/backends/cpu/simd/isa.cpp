#include "isa.h"

#include <atomic>
#include <cstdlib>
#include <string>
#include <vector>

#include "../../../base/error.h"
#include "../../../tensor/process_context.h"

namespace trustformers::cpu {

#ifndef TRUSTFORMERS_WASM_KERNELS
namespace scalar {
const KernelTable& kernel_table();
}
#endif
#ifdef TRUSTFORMERS_X86_KERNELS
namespace avx2 {
const KernelTable& kernel_table();
}
namespace avx512 {
const KernelTable& kernel_table();
}
#endif
#ifdef TRUSTFORMERS_WASM_KERNELS
namespace wasm {
const KernelTable& kernel_table();
}
#endif

namespace {

std::vector<Isa> find_isas() {
#ifdef TRUSTFORMERS_WASM_KERNELS
  // An engine that lacks these instructions would have refused the whole module.
  return {Isa{TRUSTFORMERS_WASM_KERNELS, wasm::kernel_table}};
#else
  std::vector<Isa> isas = {{"scalar", scalar::kernel_table}};
#ifdef TRUSTFORMERS_X86_KERNELS
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c")) {
    isas.push_back({"avx2", avx2::kernel_table});
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni"))
      isas.push_back({"avx512", avx512::kernel_table});
  }
#endif
  return isas;
#endif
}

const Isa* choose_isa() {
  const std::span<const Isa> isas = available_isas();
  const char* wanted = std::getenv("TRUSTFORMERS_ISA");
  if (!wanted || !*wanted) return &isas.back();
  std::string names;
  for (const Isa& isa : isas) {
    if (isa.name == wanted) return &isa;
    names += names.empty() ? "" : ", ";
    names += isa.name;
  }
  fail(ErrorCode::invalid_argument, "[isa] TRUSTFORMERS_ISA must be one of ", names, ", not ", wanted);
}

std::atomic<const Isa*>& current() {
  static std::atomic<const Isa*> isa = choose_isa();
  return isa;
}

}  // namespace

std::span<const Isa> available_isas() {
  static const std::vector<Isa> isas = find_isas();
  return isas;
}

const Isa& current_isa() { return *current().load(std::memory_order_relaxed); }
void use_isa(const Isa& isa) { current().store(&isa, std::memory_order_relaxed); }

}  // namespace trustformers::cpu

namespace trustformers {

std::string_view cpu_kernels_name() { return cpu::current_isa().name; }

}  // namespace trustformers
