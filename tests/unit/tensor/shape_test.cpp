#include "tensor/shape.h"

#include <doctest/doctest.h>

#include <limits>

#include "unit/support.h"

using namespace trustformers;
using test::code_of;

TEST_CASE("tensor: counting elements") {
  CHECK(element_count({}) == 1);
  CHECK(element_count({2, 3, 4}) == 24);
  CHECK(element_count({5, 0, 7}) == 0);
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  CHECK(element_count({most}) == most);
  CHECK(code_of([&] { element_count({most, 2}); }) == ErrorCode::out_of_range);
  CHECK(code_of([&] { element_count({1 << 30, 1 << 30, 1 << 30}); }) == ErrorCode::out_of_range);
  CHECK(code_of([&] { element_count({2, -1}); }) == ErrorCode::out_of_range);
  CHECK_THROWS_WITH(element_count({2, -1}), "[shape] negative size in [2, -1]");
}

TEST_CASE("tensor: at most eight dimensions") {
  CHECK(to_string(Shape{1, 2, 3, 4, 5, 6, 7, 8}) == "[1, 2, 3, 4, 5, 6, 7, 8]");
  CHECK(code_of([] { Shape({1, 2, 3, 4, 5, 6, 7, 8, 9}); }) == ErrorCode::out_of_range);
  CHECK(code_of([] { Shape(std::size_t{9}); }) == ErrorCode::out_of_range);
}

TEST_CASE("tensor: contiguous strides") {
  CHECK(contiguous_strides({2, 3, 4}) == Strides{12, 4, 1});
  CHECK(contiguous_strides({}).empty());
  CHECK(is_contiguous({2, 3}, {3, 1}));
  CHECK(is_contiguous({2, 1, 3}, {3, 99, 1}));
  CHECK(is_contiguous({0, 3}, {7, 7}));
  CHECK(is_contiguous({}, {}));
  CHECK(!is_contiguous({2, 3}, {1, 2}));
  CHECK(!is_contiguous({2, 3}, {0, 1}));
  CHECK(!is_contiguous({2, 3}, {6, 2}));
}

TEST_CASE("tensor: broadcasting") {
  CHECK(broadcast_shapes({2, 1, 4}, {3, 1}, "op") == Shape{2, 3, 4});
  CHECK(broadcast_shapes({}, {3}, "op") == Shape{3});
  CHECK(broadcast_shapes({1}, {0}, "op") == Shape{0});
  CHECK(code_of([] { broadcast_shapes({2}, {0}, "op"); }) == ErrorCode::shape_mismatch);
  CHECK_THROWS_WITH(broadcast_shapes({2, 3}, {2}, "op"), "[op] shapes [2, 3] and [2] do not broadcast");
}

TEST_CASE("tensor: dimension indices") {
  CHECK(normalize_dim(-1, 3, "op") == 2);
  CHECK(normalize_dim(2, 3, "op") == 2);
  CHECK(normalize_dim(0, 0, "op") == 0);
  CHECK(normalize_dim(-1, 0, "op") == 0);
  CHECK(code_of([] { normalize_dim(3, 3, "op"); }) == ErrorCode::out_of_range);
  CHECK_THROWS_WITH(normalize_dim(-4, 3, "op"), "[op] dimension -4 is outside a tensor of rank 3");
}
