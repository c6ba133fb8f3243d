#include "../../../src/nn/alibi.h"

#include <doctest/doctest.h>

namespace trustformers {
namespace {

TEST_CASE("nn: slopes of linear biases, for a power of two and for other numbers of heads") {
  CHECK(Alibi::slopes(4) == std::vector<float>{0.25F, 0.0625F, 0.015625F, 0.00390625F});
  const std::vector<float> six = Alibi::slopes(6);  // those of four heads, then the first and third of eight
  REQUIRE(six.size() == 6);
  CHECK(six[3] == 0.00390625F);
  CHECK(six[4] == 0.5F);
  CHECK(six[5] == 0.125F);
  CHECK(Alibi::slopes(1) == std::vector<float>{1.0F / 256});
  CHECK_THROWS_AS(Alibi::slopes(0), Error);
}

TEST_CASE("nn: linear biases are slopes times positions, of each row of a batch") {
  const Tensor bias = Alibi(2, Alibi::Precision::f32, 0.5)(Tensor::from<std::int64_t>({0, 1, 2, 0, 0, 7}, {2, 3}));
  CHECK(bias.shape() == Shape{2, 2, 1, 3});
  const std::vector<float> expected = {0, 1.0F / 32, 2.0F / 32, 0, 1.0F / 512, 2.0F / 512,
                                       0, 0,         7.0F / 32, 0, 0,          7.0F / 512};
  CHECK(bias.to_vector<float>() == expected);
}

TEST_CASE("nn: linear biases in bf16 round the position and the product") {
  // 2^-4 and 2^-8 are exact; 259 has nine bits and becomes 260
  const Tensor bias = Alibi(2, Alibi::Precision::bf16)(Tensor::from<std::int64_t>({259}, {1, 1}));
  CHECK(bias.to_vector<float>() == std::vector<float>{260.0F / 16, 260.0F / 256});
}

}  // namespace
}  // namespace trustformers
