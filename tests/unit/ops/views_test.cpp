#include <doctest/doctest.h>

#include "base/error.h"
#include "ops/shape/shape_ops.h"

using namespace trustformers;

namespace {

using Ints = std::vector<std::int64_t>;

Tensor counting(const Shape& shape) {
  return reshape(Tensor::arange(0, static_cast<double>(element_count(shape))), shape);
}
Ints elements(const Tensor& t) { return t.to_vector<std::int64_t>(); }
bool shares(const Tensor& a, const Tensor& b) { return a.impl().storage == b.impl().storage; }

}  // namespace

TEST_CASE("ops: views of views address the right elements") {
  const Tensor x = counting({2, 3, 4});
  const Tensor p = permute(x, {2, 0, 1});
  CHECK(p.shape() == Shape{4, 2, 3});
  CHECK(elements(select(p, 0, 1)) == Ints{1, 5, 9, 13, 17, 21});
  const Tensor s = slice(p, 0, 1, 4, 2);
  CHECK(elements(s) == Ints{1, 5, 9, 13, 17, 21, 3, 7, 11, 15, 19, 23});
  CHECK(elements(transpose(select(s, 1, 1), 0, 1)) == Ints{13, 15, 17, 19, 21, 23});
  CHECK(shares(s, x));
  CHECK(elements(expand(unsqueeze(select(x, 0, 0), 1), {3, 2, 4})) ==
        Ints{0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7, 8, 9, 10, 11, 8, 9, 10, 11});
  CHECK(elements(slice(x, -1, -2)) == Ints{2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23});
  CHECK(slice(x, 1, 2, 1).shape() == Shape{2, 0, 4});
  CHECK(slice(x, 1, -100, 100).is_same(x));
  CHECK(elements(slice(x, 0, 1, INT64_MAX, INT64_MAX)) == elements(select(x, 0, 1)));
}

TEST_CASE("ops: reshape is a view wherever strides allow it") {
  const Tensor x = counting({4, 6});
  struct Line {
    Tensor from;
    Shape to;
    bool view;
  };
  const Line lines[] = {
      {x, {24}, true},
      {x, {2, 2, 3, 2}, true},
      {transpose(x, 0, 1), {24}, false},
      {transpose(x, 0, 1), {2, 3, 4}, true},
      {transpose(x, 0, 1), {6, 2, 2}, true},
      {transpose(x, 0, 1), {3, 8}, false},
      {slice(x, 1, 0, 3), {12}, false},
      {slice(x, 1, 0, 3), {2, 2, 3}, true},
      {slice(x, 1, 0, 6, 2), {12}, true},
      {slice(x, 0, 0, 4, 2), {2, 3, 2}, true},
      {select(x, 1, 2), {2, 2}, true},
      {select(x, 1, 2), {4, 1, 1}, true},
      {expand(slice(x, 0, 0, 1), {4, 6}), {4, 2, 3}, true},
      {expand(slice(x, 0, 0, 1), {4, 6}), {24}, false},
      {expand(select(select(x, 0, 0), 0, 3), {2, 3}), {6}, true},
      {slice(x, 1, 0, 0), {0, 7}, false},
  };
  for (const Line& line : lines) {
    const Tensor y = reshape(line.from, line.to);
    CHECK(y.shape() == line.to);
    CHECK_MESSAGE(elements(y) == elements(line.from), describe(line.from), " to ", to_string(line.to));
    if (y.numel() > 0) CHECK_MESSAGE(shares(y, x) == line.view, describe(line.from), " to ", to_string(line.to));
  }
  CHECK(reshape(x, {-1, 8}).shape() == Shape{3, 8});
  CHECK(reshape(counting({}), {1, 1}).shape() == Shape{1, 1});
  CHECK(reshape(Tensor::zeros({0, 3}), {0, 7}).shape() == Shape{0, 7});
  CHECK(reshape(Tensor::zeros({0, 3}), {-1, 3}).shape() == Shape{0, 3});
}

TEST_CASE("ops: joining and cutting") {
  const Tensor x = counting({2, 3});
  const std::array<Tensor, 2> twice = {x, x};
  CHECK(elements(concat(twice, 1)) == Ints{0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5});
  CHECK(stack(twice, 1).shape() == Shape{2, 2, 3});
  CHECK(elements(stack(twice, -1)) == Ints{0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5});
  const std::vector<Tensor> parts = chunk(x, 3, 1);
  CHECK(parts.size() == 3);
  CHECK(elements(parts[2]) == Ints{2, 5});
  CHECK(elements(pad(x, 1, 1, 2)) == Ints{0, 0, 1, 2, 0, 0, 0, 3, 4, 5, 0, 0});
  CHECK(elements(slice_scatter(x, Tensor::full({2, 1}, 9, DType::i64), 1, -1)) == Ints{0, 1, 9, 3, 4, 9});
  CHECK(elements(x) == Ints{0, 1, 2, 3, 4, 5});
  CHECK(squeeze(unsqueeze(x, -1), -1).shape() == x.shape());
  CHECK(expand(Tensor::ones({1, 3}), {0, 3}).numel() == 0);
}

TEST_CASE("ops: blocks are cut and joined along rows only") {
  std::vector<std::byte> bytes(4 * 2 * 18);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i);
  const Tensor q = Tensor::from_bytes(bytes, {4, 64}, DType::q4_0);
  const Tensor middle = slice(q, 0, 1, 3);
  CHECK(middle.raw() == q.raw() + 36);
  CHECK(contiguous(slice(q, 0, 0, 4, 2)).raw()[36] == bytes[72]);
  CHECK_THROWS_AS(slice(q, 1, 0, 32), Error);
}
