#include "../../../src/nn/sinusoid.h"

#include <doctest/doctest.h>

#include <cmath>

namespace trustformers {
namespace {

using Spacing = SinusoidalPositions::Spacing;

TEST_CASE("nn: sinusoidal positions have the paper's frequencies, or fairseq's") {
  const Tensor at = Tensor::from<std::int64_t>({0, 3}, {1, 2});
  const std::vector<float> paper = SinusoidalPositions(6, Spacing::open)(at).to_vector<float>();
  const std::vector<float> fairseq = SinusoidalPositions(6, Spacing::closed)(at).to_vector<float>();
  for (int i = 0; i < 3; ++i) {
    const auto lane = static_cast<std::size_t>(i);
    CHECK(paper[lane] == 0);
    CHECK(paper[3 + lane] == 1);
    CHECK(paper[6 + lane] == doctest::Approx(std::sin(3 * std::pow(10000.0, -2.0 * i / 6))));
    CHECK(paper[9 + lane] == doctest::Approx(std::cos(3 * std::pow(10000.0, -2.0 * i / 6))));
    CHECK(fairseq[6 + lane] == doctest::Approx(std::sin(3 * std::pow(10000.0, -i / 2.0))));
    CHECK(fairseq[9 + lane] == doctest::Approx(std::cos(3 * std::pow(10000.0, -i / 2.0))));
  }
}

TEST_CASE("nn: sinusoidal positions of an odd width") {
  const Tensor at = Tensor::from<std::int64_t>({2}, {1, 1});
  const std::vector<float> paper = SinusoidalPositions(5, Spacing::open)(at).to_vector<float>();
  CHECK(paper[2] == doctest::Approx(std::sin(2 * std::pow(10000.0, -4.0 / 5))));  // the third sine
  CHECK(paper[3] == doctest::Approx(std::cos(2.0)));
  const std::vector<float> fairseq = SinusoidalPositions(5, Spacing::closed)(at).to_vector<float>();
  CHECK(fairseq[2] == doctest::Approx(std::cos(2.0)));
  CHECK(fairseq[4] == 0);
}

}  // namespace
}  // namespace trustformers
