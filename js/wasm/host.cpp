// The border to JS. Callbacks are one imported function with a number that tells them apart, so that no function is
// made at run time, which would need a table that grows.
#include <cerrno>
#include <cstdint>

#include "capi/trustformers_c.h"

extern "C" {

/// In host.ts. Gives something other than 0 to stop the work.
__attribute__((import_module("env"), import_name("tf_js_progress"))) int tf_js_progress(void* user, const char* stage,
                                                                                        const char* item, double done,
                                                                                        double total);

static int32_t on_progress(void* user, const tf_progress* event) {
  return tf_js_progress(user, event->stage, event->item, static_cast<double>(event->done),
                        static_cast<double>(event->total));
}

/// A watch whose progress goes to JS as number `user`; with 0 only `cancel` is watched. It is valid until the next
/// call.
const tf_watch* tf_js_watch(void* user, const tf_cancel* cancel) {
  static tf_watch watch;
  watch = {sizeof(tf_watch), user, user ? on_progress : nullptr, cancel};
  return &watch;
}

// Emscripten's C library asks these. There are no files here, which is another answer than that nobody knows.
int __syscall_stat64(intptr_t, intptr_t) { return -ENOENT; }
int __syscall_lstat64(intptr_t, intptr_t) { return -ENOENT; }
int __syscall_newfstatat(int, intptr_t, intptr_t, int) { return -ENOENT; }
int __syscall_openat(int, intptr_t, int, ...) { return -ENOENT; }
}
