#include "../../../src/nn/kv_cache.h"

#include <doctest/doctest.h>

#include <array>

#include "../../../src/base/error.h"

namespace trustformers {
namespace {

Tensor states(std::int64_t rows, std::int64_t positions, std::uint64_t seed) {
  return Tensor::randn({rows, 2, positions, 3}, seed);
}

}  // namespace

TEST_CASE("nn: fixed keys and values are made once and outlive a truncation") {
  KVCache cache;
  int made = 0;
  const Tensor keys = states(2, 5, 1), values = states(2, 5, 2);
  const auto make = [&]() -> KVCache::KeysValues {
    ++made;
    return {keys, values};
  };
  CHECK(cache.fixed(1, make).keys.to_vector<float>() == keys.to_vector<float>());
  cache.update(0, states(2, 1, 3), states(2, 1, 4));
  cache.truncate(0);
  CHECK(cache.fixed(1, make).values.to_vector<float>() == values.to_vector<float>());
  CHECK(made == 1);
  CHECK(cache.length() == 0);
  cache.clear();
  cache.fixed(1, make);
  CHECK(made == 2);
}

TEST_CASE("nn: rows of a cache move together, the fixed ones too") {
  KVCache cache;
  const Tensor own = states(2, 4, 5), keys = states(2, 5, 1), values = states(2, 5, 2);
  cache.update(0, own, own);
  cache.fixed(0, [&]() -> KVCache::KeysValues { return {keys, values}; });
  cache.select_rows(std::array<std::int64_t, 3>{1, 0, 1});
  const auto fixed = cache.fixed(0, []() -> KVCache::KeysValues { return {}; });
  CHECK(fixed.keys.shape() == Shape{3, 2, 5, 3});
  const auto row = [](const Tensor& t, std::size_t r) {
    const std::vector<float> all = t.to_vector<float>();
    const std::size_t n = all.size() / static_cast<std::size_t>(t.size(0));
    return std::vector<float>(all.begin() + static_cast<std::ptrdiff_t>(r * n),
                              all.begin() + static_cast<std::ptrdiff_t>((r + 1) * n));
  };
  for (const auto& [to, from] : {std::pair{0, 1}, std::pair{1, 0}, std::pair{2, 1}}) {
    const auto t = static_cast<std::size_t>(to), f = static_cast<std::size_t>(from);
    CHECK(row(fixed.keys, t) == row(keys, f));
    CHECK(row(fixed.values, t) == row(values, f));
  }
  // The growing part moved the same way.
  const auto grown = cache.update(0, states(3, 1, 6), states(3, 1, 7));
  CHECK(grown.keys.size(2) == 5);
  CHECK(row(grown.keys, 0)[0] == row(own, 1)[0]);
  CHECK_THROWS_AS(cache.select_rows(std::array<std::int64_t, 1>{3}), Error);
}

}  // namespace trustformers
