#include "base/system.h"

#include <doctest/doctest.h>

#include <vector>

#include "base/thread_pool.h"

#if defined(__linux__)
#include <sched.h>
#endif

namespace trustformers {
namespace {

TEST_CASE("base: the system tells at least one core") {
  CHECK(system::allowed_cores() >= 1);
  CHECK(system::allowed_cores() <= 65536);
  CHECK(system::current_core() >= 0);
}

#if defined(__linux__)
/// The affinity mask of this thread, put back at the end.
class Affinity {
 public:
  Affinity() { sched_getaffinity(0, sizeof(mask_), &mask_); }
  ~Affinity() { sched_setaffinity(0, sizeof(mask_), &mask_); }
  int cores() const { return CPU_COUNT(&mask_); }

 private:
  cpu_set_t mask_;
};

TEST_CASE("base: cores and pinning keep to the affinity mask") {
  const Affinity before;
  const bool full = system::fills_affinity(before.cores());
  CHECK(full);
  CHECK_FALSE(system::fills_affinity(before.cores() + 1));
  for (int worker = 0; worker < 2 * before.cores(); ++worker) {
    const Affinity whole;
    system::pin_this_thread(system::current_core(), worker);
    CHECK(Affinity().cores() == 1);
    CHECK(system::allowed_cores() == 1);
    CHECK(system::fills_affinity(1));
  }
  CHECK(Affinity().cores() == before.cores());
}

TEST_CASE("base: a pool leaves its caller free and pins its workers only when it fills the machine") {
  const Affinity caller;
  for (const int threads : {available_cores(), available_cores() - 1}) {
    if (threads < 2) continue;
    ThreadPool pool(threads);
    std::vector<int> cores(static_cast<std::size_t>(threads));
    pool.parallel_for(threads, 1, [&](std::int64_t begin, std::int64_t) {
      cores[static_cast<std::size_t>(begin)] = Affinity().cores();
    });
    CHECK(cores[0] == caller.cores());
    for (std::size_t i = 1; i < cores.size(); ++i) CHECK(cores[i] == (threads == caller.cores() ? 1 : caller.cores()));
  }
}
#endif

}  // namespace
}  // namespace trustformers
