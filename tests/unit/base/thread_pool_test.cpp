#include "base/thread_pool.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"

namespace trustformers {
namespace {

using Range = std::pair<std::int64_t, std::int64_t>;

/// The ranges a call hands out, sorted.
template <class Call>
std::vector<Range> ranges_of(Call&& call) {
  std::mutex mutex;
  std::vector<Range> ranges;
  call([&](std::int64_t begin, std::int64_t end) {
    const std::lock_guard lock(mutex);
    ranges.emplace_back(begin, end);
  });
  std::ranges::sort(ranges);
  return ranges;
}

/// That they follow each other from 0 to count without gap or overlap.
void check_cover(const std::vector<Range>& ranges, std::int64_t count) {
  std::int64_t at = 0;
  for (const auto& [begin, end] : ranges) {
    REQUIRE(begin == at);
    REQUIRE(end > begin);
    at = end;
  }
  REQUIRE(at == count);
}

TEST_CASE("base: the thread pool has at most as many threads as cores") {
  const int cores = available_cores();
  CHECK(cores >= 1);
  CHECK(ThreadPool(1).threads() == 1);
  CHECK(ThreadPool(2).threads() == std::min(2, cores));
  CHECK(ThreadPool(100000).threads() == cores);
  CHECK_THROWS_AS(ThreadPool(-1), Error);
}

TEST_CASE("base: parallel_for splits into contiguous ranges not shorter than the grain") {
  for (const int threads : {1, 2, 3, 64}) {
    ThreadPool pool(threads);
    for (const std::int64_t count : {0, 1, 2, 3, 7, 64, 1000, 1001})
      for (const std::int64_t grain : {-1, 1, 2, 10, 1000, 5000}) {
        const auto ranges = ranges_of([&](auto body) { pool.parallel_for(count, grain, body); });
        check_cover(ranges, count);
        CHECK(ranges.size() <= static_cast<std::size_t>(pool.threads()));
        for (const auto& [begin, end] : ranges) CHECK((end - begin >= grain || end - begin == count));
        if (count >= 2 * std::max<std::int64_t>(grain, 1)) CHECK((ranges.size() > 1 || pool.threads() == 1));
      }
    CHECK(ranges_of([&](auto body) { pool.parallel_for(-5, 1, body); }).empty());
  }
}

TEST_CASE("base: parallel_chunks hands out every chunk once") {
  for (const int threads : {1, 2, 64}) {
    ThreadPool pool(threads);
    for (const std::int64_t count : {0, 1, 2, 10, 1000, 1001})
      for (const std::int64_t chunk : {0, 1, 3, 1000, 5000}) {
        const auto ranges = ranges_of([&](auto body) { pool.parallel_chunks(count, chunk, body); });
        check_cover(ranges, count);
        for (std::size_t i = 0; i + 1 < ranges.size(); ++i)
          CHECK(ranges[i].second - ranges[i].first == std::max<std::int64_t>(chunk, 1));
      }
  }
}

TEST_CASE("base: very large counts do not overflow") {
  ThreadPool pool(2);
  const std::int64_t huge = std::int64_t{1} << 62;
  check_cover(ranges_of([&](auto body) { pool.parallel_for(huge, 1, body); }), huge);
  check_cover(ranges_of([&](auto body) { pool.parallel_chunks(huge + 1, huge, body); }), huge + 1);
}

TEST_CASE("base: many short phases see each other's writes") {
  ThreadPool pool;
  std::vector<std::int64_t> values(257, 0);
  constexpr int phases = 20000;
  for (int phase = 0; phase < phases; ++phase)
    pool.parallel_for(257, 1, [&](std::int64_t begin, std::int64_t end) {
      // Reads what another worker wrote in the phase before.
      for (std::int64_t i = begin; i < end; ++i) ++values[static_cast<std::size_t>((i + phase) % 257)];
    });
  CHECK(std::ranges::all_of(values, [](std::int64_t value) { return value == phases; }));
}

TEST_CASE("base: phases after a pause wake the sleeping workers") {
  ThreadPool pool;
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::atomic<std::int64_t> sum{0};
    pool.parallel_for(100, 1, [&](std::int64_t begin, std::int64_t end) { sum += end - begin; });
    CHECK(sum == 100);
  }
}

TEST_CASE("base: the first exception of a body is rethrown and the pool stays usable") {
  for (const int threads : {1, 2, 8}) {
    ThreadPool pool(threads);
    for (int round = 0; round < 50; ++round) {
      CHECK_THROWS_WITH_AS(
          pool.parallel_for(100, 1, [](std::int64_t, std::int64_t) { throw std::runtime_error("all"); }), "all",
          std::runtime_error);
      CHECK_THROWS_WITH_AS(pool.parallel_for(100, 1,
                                             [](std::int64_t, std::int64_t end) {
                                               if (end == 100) fail(ErrorCode::numeric, "last");
                                             }),
                           "last", Error);
      std::atomic<int> chunks{0};
      CHECK_THROWS_WITH_AS(pool.parallel_chunks(1000000, 1,
                                                [&](std::int64_t begin, std::int64_t) {
                                                  ++chunks;
                                                  if (begin == 3) throw std::runtime_error("third");
                                                }),
                           "third", std::runtime_error);
      CHECK(chunks < 1000000);
      check_cover(ranges_of([&](auto body) { pool.parallel_for(100, 1, body); }), 100);
    }
  }
}

TEST_CASE("base: calls inside a body run serially in the same thread") {
  ThreadPool pool, other;
  std::atomic<int> wrong{0};
  std::atomic<std::int64_t> sum{0};
  pool.parallel_for(64, 1, [&](std::int64_t begin, std::int64_t end) {
    const auto self = std::this_thread::get_id();
    for (std::int64_t i = begin; i < end; ++i) {
      const auto inner = [&](std::int64_t from, std::int64_t to) {
        if (std::this_thread::get_id() != self) ++wrong;
        sum += to - from;
      };
      pool.parallel_for(10, 1, inner);
      pool.parallel_chunks(10, 3, inner);
      other.parallel_for(10, 1, inner);
    }
  });
  CHECK(wrong == 0);
  CHECK(sum == 64 * 30);
}

#if !defined(__EMSCRIPTEN__) || defined(__EMSCRIPTEN_PTHREADS__)
TEST_CASE("base: several threads may use one pool") {
  ThreadPool pool;
  std::atomic<std::int64_t> sum{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        pool.parallel_for(100, 1, [&](std::int64_t begin, std::int64_t end) { sum += end - begin; });
        pool.parallel_chunks(100, 7, [&](std::int64_t begin, std::int64_t end) { sum += end - begin; });
      }
    });
  for (auto& caller : callers) caller.join();
  CHECK(sum == 4 * 500 * 200);
}
#endif

#if !defined(_WIN32)
TEST_CASE("base: TRUSTFORMERS_NUM_THREADS sets the default and is checked") {
  const char* const before = std::getenv("TRUSTFORMERS_NUM_THREADS");
  const std::string saved = before == nullptr ? "" : before;
  setenv("TRUSTFORMERS_NUM_THREADS", "1", 1);
  CHECK(ThreadPool().threads() == 1);
  CHECK(ThreadPool(2).threads() == std::min(2, available_cores()));
  setenv("TRUSTFORMERS_NUM_THREADS", "4096", 1);
  CHECK(ThreadPool().threads() == available_cores());
  setenv("TRUSTFORMERS_NUM_THREADS", "", 1);
  CHECK(ThreadPool().threads() == available_cores());
  for (const char* wrong : {"0", "-1", "two", "2x", " 2", "99999999999"}) {
    setenv("TRUSTFORMERS_NUM_THREADS", wrong, 1);
    CHECK_THROWS_AS(ThreadPool(), Error);
  }
  if (before == nullptr)
    unsetenv("TRUSTFORMERS_NUM_THREADS");
  else
    setenv("TRUSTFORMERS_NUM_THREADS", saved.c_str(), 1);
}
#endif

}  // namespace
}  // namespace trustformers
