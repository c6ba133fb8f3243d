#define TRUSTFORMERS_ISA_NAMESPACE scalar
#include "vector_scalar.h"
// The vocabulary comes first.
#include "kernel_set.h"
