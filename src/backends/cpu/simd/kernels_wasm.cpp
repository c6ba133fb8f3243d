#define TRUSTFORMERS_ISA_NAMESPACE wasm
#include "vector_wasm.h"
// The vocabulary comes first.
#include "kernel_set.h"
