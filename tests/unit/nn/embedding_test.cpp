// Tables whose padding is looked up and not trained.
#include <doctest/doctest.h>

#include "nn/linear.h"
#include "ops/reduce/reduce.h"

namespace trustformers::test {
namespace {

std::vector<float> gradient_of_sum(std::optional<std::int64_t> padding) {
  const auto parameters = Parameters::init(1, {.trainable = true});
  const Embedding table(Scope(parameters, "words"), 4, 2, padding);
  const Tensor ids = Tensor::from<std::int64_t>({1, 3, 3, 0}, {2, 2});
  sum(table(ids)).backward();
  return parameters->named()[0].tensor.grad().to_vector<float>();
}

TEST_CASE("nn: looking up padding does not train its row") {
  CHECK(gradient_of_sum(std::nullopt) == std::vector<float>{1, 1, 1, 1, 0, 0, 2, 2});
  CHECK(gradient_of_sum(3) == std::vector<float>{1, 1, 1, 1, 0, 0, 0, 0});
}

TEST_CASE("nn: padding is looked up as any token") {
  const auto parameters = Parameters::init(1, {.trainable = true});
  const Scope scope(parameters, "words");
  const Tensor ids = Tensor::from<std::int64_t>({1, 3, 3, 0}, {2, 2});
  CHECK(Embedding(scope, 4, 2, 3)(ids).to_vector<float>() == Embedding(scope, 4, 2)(ids).to_vector<float>());
}

}  // namespace
}  // namespace trustformers::test
