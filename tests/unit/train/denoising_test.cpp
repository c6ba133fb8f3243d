#include "../../../src/train/denoising.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "../../../src/models/auto.h"
#include "../../../src/tensor/op.h"

namespace trustformers {
namespace {

constexpr std::int64_t noise_mask_id = 999;

TokenIds text_of(std::int64_t length) {
  TokenIds text(static_cast<std::size_t>(length));
  std::iota(text.begin(), text.end(), 10);
  return text;
}

/// What the labels say, put where the input has its sentinels.
TokenIds restored(const DenoisingExample& e, std::int64_t first_sentinel) {
  TokenIds out;
  for (const std::int64_t token : e.input) {
    if (token < 500) {
      out.push_back(token);
      continue;
    }
    auto at = std::find(e.labels.begin(), e.labels.end(), token);
    CHECK(at != e.labels.end());
    for (++at; at != e.labels.end() && *at <= first_sentinel - 100; ++at) out.push_back(*at);
  }
  return out;
}

Json tiny_model(std::string_view type) {
  if (type == "t5")
    return Json::parse(R"({"model_type": "t5", "vocab_size": 23, "d_model": 12, "d_kv": 5, "d_ff": 14, "num_layers": 2,
        "num_heads": 2, "relative_attention_num_buckets": 8, "relative_attention_max_distance": 20,
        "decoder_start_token_id": 0, "pad_token_id": 0, "eos_token_id": 1})",
                       "t5");
  return Json::parse(
      R"({"model_type": "bart", "vocab_size": 23, "d_model": 12, "encoder_layers": 1, "decoder_layers": 2,
      "encoder_attention_heads": 2, "decoder_attention_heads": 3, "encoder_ffn_dim": 14, "decoder_ffn_dim": 16,
      "max_position_embeddings": 40, "decoder_start_token_id": 2, "pad_token_id": 1, "eos_token_id": 2})",
      "bart");
}

/// The loss of a model on corrupted texts, its slope along a random direction by central differences, and the same
/// from the gradients.
std::pair<double, double> slopes(std::string_view type, const DenoisingBatch& batch) {
  LoadOptions options{.task = Task::seq2seq_lm};
  options.parameters.trainable = true;
  const auto model = init_model(tiny_model(type), 5, options);
  ModelInputs in;
  in.input_ids = batch.input_ids;
  in.attention_mask = batch.attention_mask;
  in.labels = batch.labels;
  // Larger weights than a fresh model's, so that the slope is not small.
  std::vector<std::vector<float>> directions;
  for (const NamedTensor& p : model->named_parameters()) {
    directions.push_back(Tensor::randn(p.tensor.shape(), 77 + directions.size()).to_vector<float>());
    float* data = p.tensor.mutable_data<float>();
    for (std::size_t i = 0; i < directions.back().size(); ++i) data[i] += p.tensor.rank() > 1 ? 10 * data[i] : 0;
  }
  model->forward(in).loss.backward();
  double analytic = 0;
  for (std::size_t k = 0; k < directions.size(); ++k) {
    const std::vector<float> grad = model->named_parameters()[k].tensor.grad().to_vector<float>();
    for (std::size_t i = 0; i < grad.size(); ++i) analytic += static_cast<double>(grad[i]) * directions[k][i];
  }
  const auto moved = [&](double step) {
    const NoGrad quiet;
    for (std::size_t k = 0; k < directions.size(); ++k) {
      float* data = model->named_parameters()[k].tensor.mutable_data<float>();
      for (std::size_t i = 0; i < directions[k].size(); ++i) data[i] += static_cast<float>(step * directions[k][i]);
    }
    return model->forward(in).loss.item();
  };
  constexpr double h = 1e-3;
  const double up = moved(h), down = moved(-2 * h);
  return {(up - down) / (2 * h), analytic};
}

}  // namespace

TEST_CASE("train: span corruption hides as many tokens in as many spans as its formula says") {
  for (const std::int64_t length : {2, 3, 7, 20, 100, 513}) {
    for (const double density : {0.15, 0.5, 0.9}) {
      const SpanCorruption settings{.noise_density = density, .mean_span_length = 3};
      const std::vector<bool> mask = span_corruption_mask(length, settings, 1, 2);
      REQUIRE(static_cast<std::int64_t>(mask.size()) == length);
      const std::int64_t hidden =
          std::clamp<std::int64_t>(std::llround(static_cast<double>(length) * density), 1, length - 1);
      CHECK(std::count(mask.begin(), mask.end(), true) == hidden);
      std::int64_t spans = 0;
      for (std::size_t i = 0; i < mask.size(); ++i) spans += mask[i] && (i == 0 || !mask[i - 1]);
      CHECK(spans == std::clamp<std::int64_t>(std::llround(static_cast<double>(hidden) / 3), 1,
                                              std::min(hidden, length - hidden)));
      CHECK_FALSE(mask[0]);
      CHECK(mask.back());
    }
  }
}

TEST_CASE("train: lengths of hidden spans are uniform among all that add up") {
  // Of 12 tokens 5 are hidden in 2 spans: 4 ways to split 5, 6 ways to split 7.
  const SpanCorruption settings{.noise_density = 5.0 / 12, .mean_span_length = 2.5};
  std::map<std::vector<bool>, int> seen;
  constexpr int draws = 24000;
  for (int i = 0; i < draws; ++i) ++seen[span_corruption_mask(12, settings, 3, static_cast<std::uint64_t>(i))];
  CHECK(seen.size() == 24);
  double chi = 0;
  for (const auto& [mask, count] : seen) chi += (count - draws / 24.0) * (count - draws / 24.0) / (draws / 24.0);
  CHECK(chi < 58.6);  // p = 1e-4 with 23 degrees of freedom
}

TEST_CASE("train: a corrupted text and its labels hold the whole text") {
  const SpanCorruption settings{
      .noise_density = 0.3, .mean_span_length = 2, .first_sentinel = 600, .eos_token_id = std::nullopt};
  for (std::uint64_t number = 0; number < 50; ++number) {
    const TokenIds text = text_of(40);
    const DenoisingExample e = corrupt_spans(text, settings, 9, number);
    CHECK(restored(e, 600) == text);
    std::int64_t next = 600;  // sentinels count down in both
    for (const std::int64_t token : e.input)
      if (token > 500) CHECK(token == next--);
    CHECK(std::count_if(e.labels.begin(), e.labels.end(), [](std::int64_t t) { return t > 500; }) == 600 - next);
    CHECK(corrupt_spans(text, settings, 9, number).input == e.input);
  }
  SpanCorruption ending = settings;
  ending.eos_token_id = 1;
  const DenoisingExample e = corrupt_spans(text_of(10), ending, 9, 0);
  CHECK(e.input.back() == 1);
  CHECK(e.labels.back() == 1);
  ending.sentinels = 1;
  CHECK_THROWS_AS(corrupt_spans(text_of(40), ending, 9, 0), Error);
  CHECK_THROWS_AS(corrupt_spans(text_of(1), settings, 9, 0), Error);
}

TEST_CASE("train: infilling hides its share of the tokens behind one mask a span") {
  const BartNoise noise{.mask_token_id = noise_mask_id, .infilling_ratio = 0.3, .permute_sentences = false};
  double masks = 0;
  bool inserted = false;
  for (std::uint64_t number = 0; number < 2000; ++number) {
    const TokenIds text = text_of(50);
    const DenoisingExample e = add_bart_noise(text, noise, 4, number);
    CHECK(e.labels == text);
    TokenIds kept;
    for (const std::int64_t token : e.input)
      if (token != noise_mask_id) kept.push_back(token);
    CHECK(kept.size() == 35);
    CHECK(std::is_sorted(kept.begin(), kept.end()));
    masks += static_cast<double>(e.input.size() - kept.size());
    for (std::size_t i = 1; i + 1 < e.input.size(); ++i)
      inserted = inserted || (e.input[i] == noise_mask_id && e.input[i + 1] == e.input[i - 1] + 1);
  }
  CHECK(inserted);
  // Spans of Poisson length 3 until 15 tokens are covered: renewal theory says 15/3 + (variance/mean² + 1)/2 = 5.67,
  // less what the zero lengths after the end would add, e^-3 / (1 - e^-3) ~ 0.05, and discreteness adds 1/(2·3).
  CHECK(masks / 2000 == doctest::Approx(5.5).epsilon(0.05));
}

TEST_CASE("train: BART's other noises are what their names say") {
  const TokenIds text = {11, 12, 5, 13, 5, 14, 15, 16, 5, 17};
  BartNoise noise{.mask_token_id = noise_mask_id, .infilling_ratio = 0, .sentence_ends = {5}};
  std::map<TokenIds, int> orders;
  for (std::uint64_t number = 0; number < 2400; ++number) ++orders[add_bart_noise(text, noise, 1, number).input];
  CHECK(orders.size() == 24);  // four sentences
  CHECK(orders.contains({17, 13, 5, 14, 15, 16, 5, 11, 12, 5}));
  noise.permute_sentences = false;
  noise.rotate = true;
  for (std::uint64_t number = 0; number < 20; ++number) {
    TokenIds turned = add_bart_noise(text, noise, 1, number).input;
    std::rotate(turned.begin(), std::find(turned.begin(), turned.end(), 11), turned.end());
    CHECK(turned == text);
  }
  noise.rotate = false;
  noise.deletion_ratio = 0.4;
  std::size_t left = 0;
  for (std::uint64_t number = 0; number < 1000; ++number) left += add_bart_noise(text, noise, 1, number).input.size();
  CHECK(static_cast<double>(left) / 10000 == doctest::Approx(0.6).epsilon(0.03));
  noise.deletion_ratio = 1;
  CHECK(add_bart_noise(text, noise, 1, 0).input.size() == 1);
  noise.deletion_ratio = 0;
  noise.masking_ratio = 1;
  noise.bos_token_id = 0;
  noise.eos_token_id = 2;
  const DenoisingExample e = add_bart_noise(text, noise, 1, 0);
  CHECK(e.input.front() == 0);
  CHECK(e.labels.back() == 2);
  CHECK(std::count(e.input.begin(), e.input.end(), noise_mask_id) == 10);
  CHECK_THROWS_AS(add_bart_noise({}, noise, 1, 0), Error);
  noise.infilling_ratio = 1.5;
  CHECK_THROWS_AS(add_bart_noise(text, noise, 1, 0), Error);
}

TEST_CASE("train: a batch of corrupted texts is padded on the right") {
  const std::vector<DenoisingExample> examples = {{{7, 8, 9}, {4}}, {{6}, {3, 2}}};
  const DenoisingBatch batch = collate_denoising(examples, 1);
  CHECK(batch.input_ids.to_vector<std::int64_t>() == TokenIds{7, 8, 9, 6, 1, 1});
  CHECK(batch.attention_mask.to_vector<std::int64_t>() == TokenIds{1, 1, 1, 1, 0, 0});
  CHECK(batch.labels.to_vector<std::int64_t>() == TokenIds{4, -100, 3, 2});
  CHECK(batch.labels.shape() == Shape{2, 2});
}

TEST_CASE("train: gradients of denoising losses are their slopes") {
  const SpanCorruption spans{.noise_density = 0.3, .first_sentinel = 22, .eos_token_id = 1};
  const BartNoise noise{.mask_token_id = 22, .sentence_ends = {12}, .bos_token_id = 0, .eos_token_id = 2};
  std::vector<DenoisingExample> t5, bart;
  for (const std::int64_t length : {7, 10}) {
    t5.push_back(corrupt_spans(text_of(length), spans, 2, static_cast<std::uint64_t>(length)));
    bart.push_back(add_bart_noise(text_of(length), noise, 2, static_cast<std::uint64_t>(length)));
  }
  for (const auto& [numeric, analytic] :
       {slopes("t5", collate_denoising(t5, 0)), slopes("bart", collate_denoising(bart, 1))}) {
    CHECK(std::fabs(analytic) > 0.01);
    CHECK(numeric == doctest::Approx(analytic).epsilon(0.02));
  }
}

}  // namespace trustformers
