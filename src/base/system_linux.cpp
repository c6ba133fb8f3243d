#if defined(__linux__)
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "system.h"

namespace trustformers::system {
namespace {

std::vector<int> allowed_core_ids() {
  std::vector<int> ids;
  // The kernel refuses a mask shorter than its own, so it grows until it fits.
  for (int limit = 1024; limit <= (1 << 16); limit *= 4) {
    cpu_set_t* const set = CPU_ALLOC(limit);
    if (set == nullptr) break;
    const std::size_t bytes = CPU_ALLOC_SIZE(limit);
    CPU_ZERO_S(bytes, set);
    const bool known = sched_getaffinity(0, bytes, set) == 0;
    if (known)
      for (int id = 0; id < limit; ++id)
        if (CPU_ISSET_S(id, bytes, set)) ids.push_back(id);
    CPU_FREE(set);
    if (known) break;
  }
  return ids;
}

/// The folder of this process for a cgroup controller ("": version 2), below the mount point.
std::string cgroup_folder(const std::string& controller) {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    std::stringstream names(line.substr(first + 1, second - first - 1));
    if (controller.empty() && line.compare(0, second + 1, "0::") == 0) return line.substr(second + 1);
    for (std::string name; std::getline(names, name, ',');)
      if (!controller.empty() && name == controller) return line.substr(second + 1);
  }
  return "";
}

/// Calls `read` for the folder and all folders above it: each of them may hold a tighter quota.
template <class Read>
double tightest(const std::string& mount, std::string folder, Read read) {
  double cores = std::numeric_limits<double>::infinity();
  for (;;) {
    if (folder == "/") folder.clear();
    cores = std::min(cores, read(mount + folder));
    if (folder.empty()) return cores;
    folder.resize(std::min(folder.rfind('/'), folder.size() - 1));
  }
}

double cgroup_quota() {
  constexpr double unlimited = std::numeric_limits<double>::infinity();
  const auto share = [](double quota, double period) { return quota > 0 && period > 0 ? quota / period : unlimited; };
  const double second = tightest("/sys/fs/cgroup", cgroup_folder(""), [&](const std::string& folder) {
    std::ifstream file(folder + "/cpu.max");
    double quota = 0, period = 0;
    return file >> quota >> period ? share(quota, period) : unlimited;  // "max 100000" does not read as a number
  });
  const double first = tightest("/sys/fs/cgroup/cpu", cgroup_folder("cpu"), [&](const std::string& folder) {
    std::ifstream quota_file(folder + "/cpu.cfs_quota_us"), period_file(folder + "/cpu.cfs_period_us");
    double quota = 0, period = 0;
    return quota_file >> quota && period_file >> period ? share(quota, period) : unlimited;
  });
  return std::min(first, second);
}

/// A field of /proc/self/status in bytes, as "VmHWM:   1234 kB".
std::uint64_t status_bytes(const std::string& field) {
  std::ifstream file("/proc/self/status");
  for (std::string name; file >> name;) {
    std::uint64_t kib = 0;
    if (name == field && file >> kib) return kib * 1024;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return 0;
}

}  // namespace

int allowed_cores() {
  const auto affinity = static_cast<int>(allowed_core_ids().size());
  const int cores = affinity > 0 ? affinity : static_cast<int>(std::thread::hardware_concurrency());
  // Rounded down: a spinning thread beyond the quota gets the whole group throttled.
  const double quota = std::min(cgroup_quota(), 65536.0);
  return std::max(1, std::min(cores, static_cast<int>(quota)));
}

void wait(const std::atomic<std::uint32_t>& value, std::uint32_t old) { value.wait(old, std::memory_order_acquire); }
void wake(std::atomic<std::uint32_t>& value) { value.notify_one(); }

void pin_this_thread(int first_core, int worker) {
  const auto ids = allowed_core_ids();
  if (ids.empty()) return;
  const auto first = static_cast<std::size_t>(std::lower_bound(ids.begin(), ids.end(), first_core) - ids.begin());
  const int id = ids[(first + static_cast<std::size_t>(worker)) % ids.size()];
  cpu_set_t* const set = CPU_ALLOC(id + 1);
  if (set == nullptr) return;
  const std::size_t bytes = CPU_ALLOC_SIZE(id + 1);
  CPU_ZERO_S(bytes, set);
  CPU_SET_S(id, bytes, set);
  static_cast<void>(sched_setaffinity(0, bytes, set));  // a refusal only costs speed
  CPU_FREE(set);
}

int current_core() { return std::max(0, sched_getcpu()); }
bool fills_affinity(int threads) { return allowed_core_ids().size() == static_cast<std::size_t>(threads); }
void advise_huge_pages(void* start, std::size_t bytes) { static_cast<void>(madvise(start, bytes, MADV_HUGEPAGE)); }
std::uint64_t resident_bytes() { return status_bytes("VmRSS:"); }
std::uint64_t peak_resident_bytes() { return status_bytes("VmHWM:"); }

}  // namespace trustformers::system
#endif
