#include "base/inline_vector.h"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

namespace trustformers {
namespace {

TEST_CASE("base: an inline vector holds up to its capacity and releases what it drops") {
  InlineVector<int, 3> values{1, 2};
  values.push_back(3);
  CHECK(values == InlineVector<int, 3>{1, 2, 3});
  CHECK_THROWS_AS(values.push_back(4), Error);
  values.pop_back();
  CHECK(std::vector<int>(values.begin(), values.end()) == std::vector<int>{1, 2});
  CHECK_FALSE(values == InlineVector<int, 3>{1, 3});
  CHECK_FALSE(values == InlineVector<int, 3>{1});
  CHECK(InlineVector<int, 3>(std::size_t{2}, 7) == InlineVector<int, 3>{7, 7});
  const auto shared = std::make_shared<int>(1);
  InlineVector<std::shared_ptr<int>, 2> owners{shared, shared};
  CHECK(shared.use_count() == 3);
  owners.clear();
  CHECK(shared.use_count() == 1);
  CHECK(owners.empty());
}

}  // namespace
}  // namespace trustformers
