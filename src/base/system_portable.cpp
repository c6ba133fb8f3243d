#if !defined(__linux__)
#include "system.h"

#include <algorithm>
#include <limits>
#include <thread>

#if defined(__EMSCRIPTEN_PTHREADS__)
#include <emscripten/threading.h>
#endif

namespace trustformers::system {

int allowed_cores() {
#if defined(__EMSCRIPTEN__) && !defined(__EMSCRIPTEN_PTHREADS__)
  return 1;  // hardware_concurrency() tells the machine's cores, yet no thread can be started
#else
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
#endif
}

#if defined(__EMSCRIPTEN_PTHREADS__)
// The library's own std::atomic::wait polls here, with pauses that grow to milliseconds.
void wait(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  emscripten_futex_wait(const_cast<std::atomic<std::uint32_t>*>(&value), old, std::numeric_limits<double>::infinity());
}
void wake(std::atomic<std::uint32_t>& value) { emscripten_futex_wake(&value, 1); }
#else
void wait(const std::atomic<std::uint32_t>& value, std::uint32_t old) { value.wait(old, std::memory_order_acquire); }
void wake(std::atomic<std::uint32_t>& value) { value.notify_one(); }
#endif

void pin_this_thread(int, int) {}
int current_core() { return 0; }
bool fills_affinity(int) { return false; }
void advise_huge_pages(void*, std::size_t) {}
std::uint64_t resident_bytes() { return 0; }
std::uint64_t peak_resident_bytes() { return 0; }

}  // namespace trustformers::system
#endif
