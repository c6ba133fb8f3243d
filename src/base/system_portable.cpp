#if !defined(__linux__)
#include "system.h"

#include <algorithm>
#include <thread>

namespace trustformers::system {

int allowed_cores() {
#if defined(__EMSCRIPTEN__) && !defined(__EMSCRIPTEN_PTHREADS__)
  return 1;  // hardware_concurrency() tells the machine's cores, yet no thread can be started
#else
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
#endif
}

void pin_this_thread(int, int) {}
int current_core() { return 0; }
bool fills_affinity(int) { return false; }
void advise_huge_pages(void*, std::size_t) {}
std::uint64_t resident_bytes() { return 0; }
std::uint64_t peak_resident_bytes() { return 0; }

}  // namespace trustformers::system
#endif
