// Collators and losses of encoder pretraining: masking, sentence pairs, replaced tokens, virtual adversaries.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "autograd/gradient_check.h"
#include "base/error.h"
#include "ops/elementwise/binary.h"
#include "ops/elementwise/unary.h"
#include "ops/matmul/matmul.h"
#include "ops/reduce/reduce.h"
#include "tensor/op.h"
#include "train/masking.h"
#include "train/replaced_tokens.h"
#include "train/sentence_pairs.h"
#include "train/virtual_adversarial.h"

namespace trustformers {
namespace {

TEST_CASE("train: masking hides the share that was asked for, and never padding or special tokens") {
  constexpr std::int64_t rows = 200, width = 100, mask_id = 3, special = 2;
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> seen;
  for (std::int64_t i = 0; i < rows * width; ++i) {
    ids.push_back(i % 10 == 0 ? special : 10 + i % 50);
    seen.push_back(i % width < 80);
  }
  const MaskingOptions options{.mask_token_id = mask_id, .vocab_size = 1000, .special_token_ids = {special}};
  const Tensor input = Tensor::from(ids, {rows, width}), mask = Tensor::from(seen, {rows, width});
  const MaskedTokens out = mask_tokens(input, mask, options, 11);
  const auto shown = out.input_ids.to_vector<std::int64_t>();
  const auto labels = out.labels.to_vector<std::int64_t>();
  double candidates = 0, predicted = 0, hidden = 0, other = 0, kept = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const bool may = seen[i] && ids[i] != special;
    candidates += may;
    if (labels[i] == -100) {
      CHECK(shown[i] == ids[i]);
      continue;
    }
    REQUIRE(may);
    CHECK(labels[i] == ids[i]);
    CHECK(shown[i] < 1000);
    ++predicted;
    (shown[i] == mask_id ? hidden : shown[i] == ids[i] ? kept : other) += 1;
  }
  // five standard deviations of a binomial
  const auto near = [](double part, double whole, double p) {
    return std::abs(part - p * whole) < 5 * std::sqrt(whole * p * (1 - p));
  };
  CHECK(near(predicted, candidates, 0.15));
  CHECK(near(hidden, predicted, 0.8));
  CHECK(near(other, predicted, 0.1));
  CHECK(near(kept, predicted, 0.1));
  CHECK(mask_tokens(input, mask, options, 11).input_ids.to_vector<std::int64_t>() == shown);
  CHECK(mask_tokens(input, mask, options, 12).input_ids.to_vector<std::int64_t>() != shown);
  CHECK_THROWS_AS(mask_tokens(input, mask, {.mask_share = 0.95, .vocab_size = 9}, 0), Error);
}

TEST_CASE("train: sentence pairs follow, come from elsewhere, or are swapped, as their labels say") {
  std::vector<Document> documents(40);
  for (std::int64_t d = 0; d < 40; ++d)
    for (std::int64_t s = 0; s < 6; ++s) documents[static_cast<std::size_t>(d)].push_back({100 * d + s});
  int other = 0;
  const std::vector<SentencePair> next = next_sentence_pairs(documents, 5);
  REQUIRE(next.size() == 200);
  for (const SentencePair& p : next) {
    const bool same_document = p.first[0] / 100 == p.second[0] / 100;
    CHECK(same_document == (p.label == 0));
    if (p.label == 0) CHECK(p.second[0] == p.first[0] + 1);
    other += p.label == 1;
  }
  CHECK(std::abs(other - 100) < 36);
  int swapped = 0;
  for (const SentencePair& p : sentence_order_pairs(documents, 5)) {
    CHECK(p.second[0] - p.first[0] == (p.label == 0 ? 1 : -1));
    swapped += p.label == 1;
  }
  CHECK(std::abs(swapped - 100) < 36);
  CHECK_THROWS_AS(next_sentence_pairs(std::span(documents).first(1), 0), Error);

  const SentencePair pairs[] = {{{7, 8}, {9}, 1}, {{1, 2, 3, 4, 5, 6}, {11, 12, 13}, 0}};
  const PairBatch batch =
      collate_pairs(pairs, {.cls_token_id = 50, .sep_token_id = 51, .pad_token_id = 0, .max_length = 9});
  CHECK(batch.input_ids.to_vector<std::int64_t>() ==
        std::vector<std::int64_t>{50, 7, 8, 51, 9, 51, 0, 0, 0, 50, 1, 2, 3, 51, 11, 12, 13, 51});
  CHECK(batch.token_type_ids.to_vector<std::int64_t>() ==
        std::vector<std::int64_t>{0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1});
  CHECK(batch.attention_mask.to_vector<std::int64_t>() ==
        std::vector<std::int64_t>{1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1});
  CHECK(batch.labels.to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 0});
}

TEST_CASE("train: replaced tokens are drawn from the generator's distribution") {
  constexpr std::int64_t count = 20000;
  const float logits[] = {std::log(0.5f), std::log(0.3f), std::log(0.2f)};
  const Tensor one = Tensor::from(std::vector<float>(logits, logits + 3), {1, 1, 3});
  const Tensor generator = one + Tensor::zeros({1, count, 3});
  std::vector<std::int64_t> original(count, 1), read(count, 9);
  original[7] = -100;
  const ReplacedTokens out =
      replace_masked_tokens(Tensor::from(read, {1, count}), Tensor::from(original, {1, count}), generator, 3);
  const auto ids = out.input_ids.to_vector<std::int64_t>(), labels = out.labels.to_vector<std::int64_t>();
  CHECK(ids[7] == 9);
  CHECK(labels[7] == 0);
  double seen[3] = {};
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i == 7) continue;
    REQUIRE(ids[i] < 3);
    seen[ids[i]] += 1;
    CHECK(labels[i] == (ids[i] != 1));
  }
  for (int v = 0; v < 3; ++v) CHECK(std::abs(seen[v] / count - std::exp(logits[v])) < 0.02);
}

TEST_CASE("train: ELECTRA's loss is its formula and has its gradient") {
  const Tensor generator = Tensor::randn({2, 3, 5}, 1, DType::f64), found = Tensor::randn({2, 3}, 2, DType::f64);
  const std::vector<std::int64_t> labels = {-100, 2, -100, 4, -100, 0}, replaced = {0, 1, 0, 0, 0, 1},
                                  mask = {1, 1, 1, 1, 1, 0};
  const auto loss = [&](std::span<const Tensor> in) {
    return electra_loss(in[0], Tensor::from(labels, {2, 3}), in[1], Tensor::from(replaced, {2, 3}),
                        Tensor::from(mask, {2, 3}), 50);
  };
  const auto g = generator.to_vector<double>(), d = found.to_vector<double>();
  double mlm = 0, detect = 0;
  for (std::size_t i = 0; i < 6; ++i) {
    if (labels[i] >= 0) {
      double total = 0;
      for (std::size_t v = 0; v < 5; ++v) total += std::exp(g[i * 5 + v]);
      mlm -= (g[i * 5 + static_cast<std::size_t>(labels[i])] - std::log(total)) / 3;
    }
    if (mask[i]) detect -= std::log(1 / (1 + std::exp(replaced[i] ? -d[i] : d[i]))) / 5;
  }
  Tensor in[] = {generator, found};
  CHECK(loss(in).item() == doctest::Approx(mlm + 50 * detect));
  for (Tensor& t : in) t.set_requires_grad(true);
  CHECK(gradient_error(loss, in) < 1e-7);
}

TEST_CASE("train: a virtual adversary is worse than noise of its length, and its loss is its formula") {
  Tensor weight = Tensor::randn({4, 3}, 9, DType::f64);
  weight.set_requires_grad(true);
  const std::vector<NamedTensor> parameters = {{"weight", weight}};
  const LogitsOfEmbeddings model = [&](const Tensor& x) { return matmul(tanh(mean(x, {1})), weight); };
  const Tensor x = normalized_embeddings(Tensor::randn({2, 5, 4}, 4, DType::f64) * 7 + 3);
  CHECK(mean(x * x).item() == doctest::Approx(1).epsilon(1e-6));
  const AdversarialOptions options{.noise = 1e-2, .step_size = 0.3, .radius = 0.3, .steps = 3};
  const Tensor worst = adversarial_perturbation(x, model, parameters, options, 8);
  CHECK_FALSE(worst.requires_grad());
  CHECK_FALSE(weight.grad().defined());
  CHECK(weight.requires_grad());
  const auto length = sqrt(sum(worst * worst, {1, 2})).to_vector<double>();
  for (const double l : length) CHECK(l == doctest::Approx(0.3).epsilon(1e-3));
  Tensor random = Tensor::randn(x.shape(), 77, DType::f64);
  random = random / sqrt(sum(random * random, {1, 2}, true)) * 0.3;
  const auto divergence = [&](const Tensor& d) { return symmetric_divergence(model(x), model(x + d)).item(); };
  CHECK(divergence(worst) > 2 * divergence(random));

  const auto p = model(x).to_vector<double>(), q = model(x + worst).to_vector<double>();
  double expected = 0;
  for (std::size_t row = 0; row < 2; ++row) {
    double zp = 0, zq = 0;
    for (std::size_t c = 0; c < 3; ++c) {
      zp += std::exp(p[row * 3 + c]);
      zq += std::exp(q[row * 3 + c]);
    }
    for (std::size_t c = 0; c < 3; ++c) {
      const double a = std::exp(p[row * 3 + c]) / zp, b = std::exp(q[row * 3 + c]) / zq;
      expected += (a * std::log(a / b) + b * std::log(b / a)) / 2;
    }
  }
  CHECK(virtual_adversarial_loss(model(x), x, model, parameters, options, 8).item() ==
        doctest::Approx(expected).epsilon(1e-9));

  // With the perturbation held the loss has the gradient of its value, for the weights and through both predictions.
  const Tensor in[] = {Tensor::randn({4, 3}, 9, DType::f64).set_requires_grad(true)};
  CHECK(gradient_error(
            [&](std::span<const Tensor> w) {
              return symmetric_divergence(matmul(mean(x, {1}), w[0]), matmul(mean(x + worst, {1}), w[0]));
            },
            in) < 1e-7);
  CHECK_THROWS_AS(adversarial_perturbation(x, model, parameters, {.steps = 0}, 1), Error);
}

}  // namespace
}  // namespace trustformers
