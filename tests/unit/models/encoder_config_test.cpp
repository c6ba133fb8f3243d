// Encoders from configs: sizes and flags that cannot be are refused by the name of their key, all others build and run.
#include <doctest/doctest.h>

#include <cmath>
#include <tuple>

#include "base/error.h"
#include "models/auto.h"
#include "tensor/op.h"

namespace trustformers {
namespace {

Json small(const char* model_type) {
  Json c = Json::parse(R"({"vocab_size": 37, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4,
                           "intermediate_size": 20, "max_position_embeddings": 24, "pad_token_id": 1})");
  c.set("model_type", Json(model_type));
  if (std::string_view(model_type) == "electra" || std::string_view(model_type) == "albert")
    c.set("embedding_size", Json(8));
  return c;
}

constexpr const char* encoders[] = {"albert",     "bert",    "camembert",  "deberta",    "deberta-v2",
                                    "distilbert", "electra", "esm",        "modernbert", "mpnet",
                                    "nomic_bert", "roberta", "xlm-roberta"};

std::string config_failure_of(const Json& config) {
  try {
    meta_model(config);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("models: errors name the keys of a config as the file spells them") {
  const std::tuple<const char*, const char*, const char*> wrong[] = {
      {R"({"model_type": "gpt2", "vocab_size": 9, "n_embd": "wide", "n_layer": 1, "n_head": 2})", "n_embd",
       "hidden_size"},
      {R"({"model_type": "gpt2", "vocab_size": 9, "n_embd": 8, "n_layer": 0, "n_head": 2})", "n_layer",
       "num_hidden_layers"},
      {R"({"model_type": "gptj", "vocab_size": 9, "n_embd": 4, "n_layer": 1, "n_head": 8, "rotary_dim": 2})", "n_head",
       "num_attention_heads"},
      {R"({"model_type": "codegen", "vocab_size": 9, "n_embd": 18, "n_layer": 1, "n_head": 3, "rotary_dim": 2})",
       "n_head", "num_attention_heads"},
      {R"({"model_type": "opt", "vocab_size": 9, "hidden_size": 8, "ffn_dim": -1, "num_hidden_layers": 1,
           "num_attention_heads": 2})",
       "ffn_dim", "intermediate_size"},
      {R"({"model_type": "mpt", "vocab_size": 9, "d_model": 4, "n_layers": 1, "n_heads": 8})", "d_model",
       "hidden_size"},
      {R"({"model_type": "falcon", "vocab_size": 9, "hidden_size": 16, "num_hidden_layers": 1,
           "num_attention_heads": 4, "num_kv_heads": 3, "new_decoder_architecture": true})",
       "num_kv_heads", "num_key_value_heads"},
      {R"({"model_type": "mixtral", "vocab_size": 9, "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1,
           "num_attention_heads": 2, "num_key_value_heads": 2, "num_experts": 2, "num_experts_per_tok": 3})",
       "num_experts", "num_local_experts"},
      {R"({"model_type": "gpt_neo", "vocab_size": 9, "hidden_size": 8, "num_layers": 1, "num_heads": 2,
           "attention_types": [[["global"], 1]], "activation_function": "none"})",
       "activation_function", "hidden_act"},
      {R"({"model_type": "distilbert", "vocab_size": 9, "dim": 10, "n_layers": 1, "n_heads": 4, "hidden_dim": 8})",
       "dim", "hidden_size"},
      {R"({"model_type": "distilbert", "vocab_size": 9, "dim": 8, "n_layers": 1, "n_heads": 2, "hidden_dim": 8,
           "activation": "none"})",
       "activation", "hidden_act"}};
  for (const auto& [config, spelled, canonical] : wrong) {
    const std::string error = config_failure_of(Json::parse(config));
    INFO(config, " gives ", error);
    const bool quoted = error.find("\"" + std::string(spelled) + "\"") != std::string::npos;
    CHECK((quoted || error.find(std::string(spelled) + ":") != std::string::npos));
    CHECK(error.find(canonical) == std::string::npos);
  }
}

TEST_CASE("models: DistilBERT's positions start as sinusoids where the config says so") {
  Json config = small("distilbert");
  config.set("sinusoidal_pos_embds", true);
  const std::unique_ptr<Model> model = init_model(config, 3);
  for (const NamedTensor& p : model->named_parameters()) {
    if (!p.name.ends_with("position_embeddings.weight")) continue;
    const std::vector<float> table = p.tensor.to_vector<float>();
    CHECK(table[16 * 5 + 2] == doctest::Approx(std::sin(5 / std::pow(10000.0, 2.0 / 16))));
    CHECK(table[16 * 5 + 3] == doctest::Approx(std::cos(5 / std::pow(10000.0, 2.0 / 16))));
    return;
  }
  FAIL("no position table");
}

TEST_CASE("models: every encoder refuses impossible sizes by the key's name") {
  for (const char* model_type : encoders) {
    REQUIRE(config_failure_of(small(model_type)) == "");
    const std::pair<const char*, Json> wrong[] = {{"hidden_size", 0},
                                                  {"hidden_size", "wide"},
                                                  {"num_attention_heads", 3},
                                                  {"vocab_size", -1},
                                                  {"num_hidden_layers", Json::array()},
                                                  {"intermediate_size", std::int64_t{1} << 40},
                                                  {"max_position_embeddings", 0}};
    for (const auto& [key, value] : wrong) {
      Json config = small(model_type);
      config.set(key, value);
      const std::string text = config_failure_of(config);
      INFO(model_type, ": ", key, ": ", text);
      CHECK(text.find(key) != std::string::npos);
    }
  }
}

TEST_CASE("models: an encoder's own keys are checked") {
  const std::tuple<const char*, const char*, Json> wrong[] = {
      {"bert", "position_embedding_type", "relative_key"},
      {"bert", "add_cross_attention", true},
      {"bert", "hidden_act", "softsign"},
      {"bert", "type_vocab_size", -1},
      {"electra", "summary_type", "attn"},
      {"albert", "num_hidden_groups", 3},
      {"albert", "inner_group_num", 0},
      {"mpnet", "relative_attention_num_buckets", 8},
      {"deberta-v2", "conv_kernel_size", 4},
      {"deberta-v2", "conv_groups", 3},
      {"deberta-v2", "position_buckets", 1},
      {"deberta-v2", "attention_head_size", 5},
      {"deberta", "embedding_size", -8},
      {"modernbert", "local_attention", 0},
      {"modernbert", "classifier_pooling", "last"},
      {"modernbert", "layer_types", Json::parse(R"(["full_attention"])")},
      {"esm", "position_embedding_type", "relative"},
      {"esm", "token_dropout", true},
      {"esm", "is_folding_model", true},
      {"nomic_bert", "head_dim", 5}};
  for (const auto& [model_type, key, value] : wrong) {
    Json config = small(model_type);
    config.set(key, value);
    const std::string text = config_failure_of(config);
    INFO(model_type, ": ", key, ": ", text);
    CHECK(text.find(key) != std::string::npos);
  }
}

TEST_CASE("models: every encoder has its heads from fresh weights, and losses with gradients") {
  const Tensor ids = Tensor::from(std::vector<std::int64_t>{5, 6, 7, 8, 9, 10, 11, 1}, {2, 4});
  for (const char* model_type : encoders) {
    const Architecture* architecture = find_architecture(model_type);
    REQUIRE(architecture);
    for (const ModelClass& c : architecture->classes) {
      INFO(c.name);
      LoadOptions options;
      options.class_name = c.name;
      options.parameters.trainable = true;
      const auto model = init_model(small(model_type), 3, options);
      ModelInputs in;
      in.input_ids = ids;
      in.attention_mask = Tensor::from(std::vector<std::int64_t>{1, 1, 1, 1, 1, 1, 1, 0}, {2, 4});
      const Tensor classes = Tensor::from(std::vector<std::int64_t>{1, 0}, {2});
      switch (c.task) {
        case Task::base: break;
        case Task::sequence_classification:
        case Task::next_sentence_prediction: in.labels = classes; break;
        case Task::question_answering: in.start_positions = in.end_positions = classes; break;
        case Task::multiple_choice:
          in.input_ids = Tensor::from(ids.to_vector<std::int64_t>(), {2, 2, 2});
          in.attention_mask = Tensor();
          in.labels = classes;
          break;
        case Task::pretraining: in.next_sentence_label = in.sentence_order_label = classes; [[fallthrough]];
        default: in.labels = Tensor::from(std::vector<std::int64_t>{1, 0, 1, 0, 0, 1, 0, -100}, {2, 4}); break;
      }
      if (c.task == Task::pretraining && std::string_view(model_type) == "electra")
        in.labels = Tensor::from(std::vector<std::int64_t>{1, 0, 1, 0, 0, 1, 0, 0}, {2, 4});
      const ModelOutput out = model->forward(in);
      if (c.task == Task::base) {
        CHECK(out.last_hidden_state.shape() == Shape{2, 4, 16});
        continue;
      }
      REQUIRE(out.loss.defined());
      CHECK(out.loss.item() > 0);
      out.loss.backward();
      // a word table that every head reaches
      CHECK(model->named_parameters().front().tensor.grad().defined());
    }
  }
}

}  // namespace
}  // namespace trustformers
