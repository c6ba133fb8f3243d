#include "../../../src/models/encoder_decoder.h"

#include <doctest/doctest.h>

#include "../../../src/generation/generate.h"
#include "../../../src/models/auto.h"
#include "unit/support.h"

namespace trustformers {
namespace {

using Ids = std::vector<std::int64_t>;

Json bart_config() {
  return Json::parse(
      R"({"model_type": "bart", "vocab_size": 31, "d_model": 16, "encoder_layers": 1, "decoder_layers": 2,
      "encoder_attention_heads": 2, "decoder_attention_heads": 4, "encoder_ffn_dim": 20, "decoder_ffn_dim": 24,
      "max_position_embeddings": 40, "decoder_start_token_id": 2, "pad_token_id": 1, "eos_token_id": 2})",
      "bart");
}

std::unique_ptr<Model> lively_bart() {
  std::unique_ptr<Model> model = init_model(bart_config(), 8, {.task = Task::seq2seq_lm});
  for (const NamedTensor& p : model->named_parameters()) {
    if (p.tensor.rank() < 2) continue;
    float* data = p.tensor.mutable_data<float>();
    for (std::int64_t i = 0; i < p.tensor.numel(); ++i) data[i] *= 20;
    p.tensor.mark_mutated();
  }
  return model;
}

Tensor one_row(const Ids& ids) { return Tensor::from(ids, {1, static_cast<std::int64_t>(ids.size())}); }

GenerationConfig settings() {
  GenerationConfig config;
  config.max_new_tokens = 8;
  return config;
}

}  // namespace

TEST_CASE("models: labels are shifted behind the start token, or behind the last token") {
  CommonConfig config;
  config.pad_token_id = 1;
  config.decoder_start_token_id = 7;
  const Tensor labels = Tensor::from<std::int64_t>({11, 12, 13, 14, 2, -100}, {2, 3});
  const auto shifted = [&](EncoderDecoderHeads::Shift shift) {
    return shift_right(labels, config, shift).to_vector<std::int64_t>();
  };
  CHECK(shifted(EncoderDecoderHeads::Shift::start_token) == Ids{7, 11, 12, 7, 14, 2});
  CHECK(shifted(EncoderDecoderHeads::Shift::last_token) == Ids{13, 11, 12, 2, 14, 2});
  config.decoder_start_token_id.reset();
  CHECK_THROWS_AS(shifted(EncoderDecoderHeads::Shift::start_token), Error);
  config.pad_token_id.reset();
  CHECK_THROWS_AS(shifted(EncoderDecoderHeads::Shift::last_token), Error);
}

TEST_CASE("models: an encoder that ran before gives the same text") {
  const auto model = lively_bart();
  const ModelInputs in{.input_ids = one_row({5, 9, 20, 13, 2})};
  const Ids expected = generate(*model, in, settings()).sequences.to_vector<std::int64_t>();
  CHECK(expected.size() == 9);
  CHECK(expected[0] == 2);
  ModelInputs later;
  later.encoder_hidden_states = model->encode(in).encoder_last_hidden_state;
  CHECK(generate(*model, later, settings()).sequences.to_vector<std::int64_t>() == expected);
  GenerationConfig uncached = settings();
  uncached.use_cache = false;
  CHECK(generate(*model, in, uncached).sequences.to_vector<std::int64_t>() == expected);
}

TEST_CASE("models: what the decoder begins with is continued") {
  const auto model = lively_bart();
  ModelInputs in{.input_ids = one_row({5, 9, 20, 13, 2})};
  const Ids whole = generate(*model, in, settings()).sequences.to_vector<std::int64_t>();
  GenerationConfig rest = settings();
  rest.max_new_tokens = 5;
  in.decoder_input_ids = one_row({whole.begin(), whole.begin() + 4});
  CHECK(generate(*model, in, rest).sequences.to_vector<std::int64_t>() == whole);
  in.decoder_input_ids = one_row({whole.begin() + 1, whole.begin() + 4});  // the start token is put before it
  CHECK(generate(*model, in, rest).sequences.to_vector<std::int64_t>() == whole);
  GenerationConfig forced = settings();
  forced.decoder_start_token_id = {4};
  forced.forced_bos_token_id = 17;
  forced.forced_eos_token_id = {2};
  in.decoder_input_ids = Tensor();
  const Ids ids = generate(*model, in, forced).sequences.to_vector<std::int64_t>();
  CHECK(ids[0] == 4);
  CHECK(ids[1] == 17);
  CHECK(ids.back() == 2);
}

TEST_CASE("models: texts of a padded batch are written as alone") {
  const auto model = lively_bart();
  const ModelInputs both{.input_ids = Tensor::from<std::int64_t>({5, 9, 20, 13, 2, 6, 8, 2, 1, 1}, {2, 5}),
                         .attention_mask = Tensor::from<std::int64_t>({1, 1, 1, 1, 1, 1, 1, 1, 0, 0}, {2, 5})};
  const Ids ids = generate(*model, both, settings()).sequences.to_vector<std::int64_t>();
  const Ids first =
      generate(*model, {.input_ids = one_row({5, 9, 20, 13, 2})}, settings()).sequences.to_vector<std::int64_t>();
  const Ids second =
      generate(*model, {.input_ids = one_row({6, 8, 2})}, settings()).sequences.to_vector<std::int64_t>();
  CHECK(Ids(ids.begin(), ids.begin() + 9) == first);
  CHECK(Ids(ids.begin() + 9, ids.end()) == second);
}

TEST_CASE("models: a buffer is saved and loaded, and is no parameter") {
  const auto model = lively_bart();
  REQUIRE(model->parameters().buffers().size() == 1);
  const Tensor bias = model->parameters().buffers()[0].tensor;
  for (const NamedTensor& p : model->named_parameters()) CHECK(p.name != "final_logits_bias");
  bias.mutable_data<float>()[3] = 2.5F;
  const test::Folder folder;
  save_pretrained(*model, folder.path());
  const auto again = load_model(open_checkpoint(folder.path()), {.task = Task::seq2seq_lm});
  CHECK(again->parameters().buffers()[0].tensor.to_vector<float>() == bias.to_vector<float>());
  CHECK(again->named_parameters().size() == model->named_parameters().size());
}

TEST_CASE("models: an encoder-decoder says what it lacks") {
  const auto model = init_model(
      Json::parse(R"({"model_type": "t5", "vocab_size": 23, "d_model": 12, "d_kv": 5, "d_ff": 14, "num_layers": 1,
                      "num_heads": 2})",
                  "t5"),
      1, {.task = Task::seq2seq_lm});
  const Error missing = test::error_of([&] { model->forward({.input_ids = one_row({4, 5})}); });
  CHECK(test::mentions(missing, "decoder_input_ids"));
  const auto classifier = init_model(bart_config(), 1, {.task = Task::sequence_classification});
  const Error ends = test::error_of(
      [&] { classifier->forward({.input_ids = Tensor::from<std::int64_t>({5, 2, 2, 7, 8, 2}, {2, 3})}); });
  CHECK(test::mentions(ends, "same number of end tokens"));
  Json broken = bart_config();
  broken.set("decoder_attention_heads", Json(5));
  CHECK(test::mentions(test::error_of([&] { init_model(broken, 1, {.task = Task::base}); }), "d_model"));
}

}  // namespace trustformers
