// The header is C++ too, and needs no other before it.
#include <trustformers/capi/trustformers_c.h>

static_assert(sizeof(tf_status) == 4 && sizeof(tf_dtype) == 4);
