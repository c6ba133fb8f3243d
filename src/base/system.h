// What the operating system knows; system_linux.cpp answers fully, system_portable.cpp as far as standard C++ can.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace trustformers::system {

/// Cores this process may use: affinity and cgroup quota (rounded down), at least 1; 1 where there are no threads.
int allowed_cores();

/// Keeps the calling thread on one core: the `worker`-th after `first_core` among the allowed ones. Does nothing where
/// the system has no such wish.
void pin_this_thread(int first_core, int worker);

/// The core the calling thread runs on, 0 where unknown.
int current_core();

/// True when the affinity mask holds exactly `threads` cores, so that a pool of that size fills them.
bool fills_affinity(int threads);

/// Sleeps while `value` is `old`, until wake() is called for it; may return early.
void wait(const std::atomic<std::uint32_t>& value, std::uint32_t old);
/// Wakes the one thread that sleeps on `value`.
void wake(std::atomic<std::uint32_t>& value);

void advise_huge_pages(void* start, std::size_t bytes);
std::uint64_t resident_bytes();
std::uint64_t peak_resident_bytes();

}  // namespace trustformers::system
