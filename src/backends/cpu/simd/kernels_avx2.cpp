#define TRUSTFORMERS_ISA_NAMESPACE avx2
#include "vector_avx2.h"
// The vocabulary comes first.
#include "kernel_set.h"
