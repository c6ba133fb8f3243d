#include "real_cases.h"

#include <algorithm>
#include <cmath>

#include "../../src/base/file.h"
#include "../../src/generation/generate.h"
#include "../../src/models/auto.h"
#include "../../src/models/gguf_tokenizer.h"
#include "../../src/ops/elementwise/binary.h"
#include "../../src/ops/elementwise/unary.h"
#include "../../src/ops/matmul/matmul.h"
#include "../../src/ops/reduce/reduce.h"
#include "../../src/ops/shape/shape_ops.h"
#include "../../src/tensor/op.h"
#include "../../src/weights/open.h"
#include "compare.h"
#include "guarded.h"

namespace trustformers::goldens {
namespace {

namespace fs = std::filesystem;

Ids ids_of(const Json& array) {
  Ids out;
  for (const Json& id : array.as_array()) out.push_back(id.as_int());
  return out;
}

Tensor row(const Ids& ids) { return Tensor::from(ids, {1, static_cast<std::int64_t>(ids.size())}); }

class RealCase {
 public:
  RealCase(const Case& c, fs::path model, Report& report)
      : case_(c),
        report_(report),
        checkpoint_(open_checkpoint(model)),
        tokenizer_(open_tokenizer(model)),
        expected_(open_weights(c.folder / "expected.safetensors")) {}

  void generation() {
    const Json& prompts = case_.description.at("prompts");
    for (const Json& prompt : prompts.as_array())
      report_.add_exact("tokenizer", prompt.at("prompt").dump().substr(0, 60),
                        encode(prompt.at("prompt").as_string(), begins()) == ids_of(prompt.at("input_ids")));
    for (const bool exact : {true, false}) {
      const std::string run = exact ? "f32 activations" : "default activations";
      guarded(report_, run, [&] {
        LoadOptions options;
        options.task = Task::causal_lm;
        options.parameters.exact_activations = exact;
        const std::unique_ptr<Model> model = load_model(checkpoint_, options);
        const NoGrad no_grad;
        if (exact) first_logits(*model, run);
        for (std::size_t i = 0; i < prompts.size(); ++i)
          greedy(*model, run, i, exact ? "must_match_float32" : "must_match_int8_activations");
        perplexity(*model, run, exact ? 1e-3 : 5e-3);
      });
    }
  }

  void embeddings() {
    const Json& sentences = case_.description.at("sentences");
    const auto max_length = static_cast<std::size_t>(case_.description.at("max_length").as_int());
    const std::unique_ptr<Model> model = load_model(checkpoint_, {});
    const NoGrad no_grad;
    const Tensor expected = expected_->load("embeddings");
    std::vector<Ids> all;
    for (const Json& ids : case_.description.at("input_ids").as_array()) all.push_back(ids_of(ids));
    for (std::size_t i = 0; i < all.size(); ++i)
      report_.add_exact("tokenizer", str("sentence ", i),
                        encode(sentences.as_array()[i].as_string(), true, max_length) == all[i]);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto at = static_cast<std::int64_t>(i);
      compare("single", str("sentence ", i), embed(*model, {all[i]}), slice(expected, 0, at, at + 1));
    }
    compare("padded batch", "embeddings", embed(*model, all), expected);
  }

  /// One weight a token of the vocabulary (SPLADE): the heaviest of each text, how many there are, and the dot products
  /// of all pairs, in absolute terms.
  void sparse_embeddings() {
    const Json::Array& cases = case_.description.at("cases").as_array();
    LoadOptions options;
    options.task = Task::masked_lm;
    const std::unique_ptr<Model> model = load_model(checkpoint_, options);
    const NoGrad no_grad;
    std::vector<Tensor> weights;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const std::string text = str("text ", i);
      const Ids ids = ids_of(cases[i].at("input_ids"));
      report_.add_exact("tokenizer", text, encode(cases[i].at("text").as_string(), true) == ids);
      ModelInputs in;
      in.input_ids = row(ids);
      weights.push_back(log(maximum(max(model->forward(in).logits, {1}), Tensor::zeros({1})) + 1));
      const std::vector<float> got = weights.back().to_vector<float>();
      report_.add_exact("weights", text + ": how many", std::count_if(got.begin(), got.end(), [](float w) {
                                                          return w > 0;
                                                        }) == cases[i].at("non_zero").as_int());
      double error = 0;
      for (const Json& top : cases[i].at("top").as_array()) {
        const auto id = tokenizer_.token_to_id(top.as_array().at(0).as_string());
        check(id.has_value(), ErrorCode::not_found, "[goldens] no token ", top.as_array()[0].as_string());
        const double expected = top.as_array().at(1).as_double();
        error = std::max(error, std::fabs(static_cast<double>(got.at(static_cast<std::size_t>(*id))) - expected));
      }
      report_.add("weights", text + ": the heaviest (absolute)", error, 1e-4, error <= 1e-4);
    }
    const Tensor all = concat(weights, 0);
    const std::vector<float> got = matmul(all, transpose(all, 0, 1)).to_vector<float>();
    const std::vector<float> expected = expected_->load("dot_products").to_vector<float>();
    double error = 0;
    for (std::size_t i = 0; i < expected.size(); ++i)
      error = std::max(error, std::fabs(static_cast<double>(got.at(i)) - static_cast<double>(expected[i])));
    report_.add("pairs", "dot products (absolute)", error, 1e-4, error <= 1e-4);
  }

 private:
  /// Whether texts begin with the tokenizer's first special token.
  bool begins() const {
    const Json* bos = case_.description.find("bos");
    return bos && bos->as_bool();
  }

  Ids encode(const std::string& text, bool special, std::size_t max_length = 0) const {
    EncodeOptions options{.add_special_tokens = special};
    if (max_length > 0) {
      options.truncation.emplace();
      options.truncation->max_length = max_length;
    }
    const Encoding encoding = tokenizer_.encode(text, options);
    return {encoding.ids.begin(), encoding.ids.end()};
  }

  /// Every so many-th logit after the first prompt, in absolute terms as the case has it.
  void first_logits(const Model& model, const std::string& run) {
    const Tensor expected = expected_->load("first_logits");
    const Ids prompt = ids_of(case_.description.at("prompts").as_array().front().at("input_ids"));
    ModelInputs in;
    in.input_ids = row(prompt);
    in.logits_to_keep = 1;
    const std::vector<float> got = model.forward(in).logits.to_vector<float>();
    const std::vector<float> bar = expected.to_vector<float>();
    const std::size_t step = (got.size() + bar.size() - 1) / bar.size();
    double error = 0;
    for (std::size_t i = 0; i < bar.size(); ++i)
      error = std::max(error, std::fabs(static_cast<double>(got[i * step]) - bar[i]));
    report_.add(run, "first logits (absolute)", error, 2e-3, error <= 2e-3);
  }

  /// How many of the reference's first ids must come depends on how close its choices were.
  void greedy(const Model& model, const std::string& run, std::size_t index, std::string_view bar) {
    const Json& prompt = case_.description.at("prompts").as_array()[index];
    const Ids expected = ids_of(prompt.at("greedy_ids"));
    const Ids input = ids_of(prompt.at("input_ids"));
    GenerationConfig config;
    config.max_new_tokens = static_cast<std::int64_t>(expected.size());
    config.eos_token_id = ids_of(case_.description.at("eos"));
    Ids got = generate(model, {.input_ids = row(input)}, config).sequences.to_vector<std::int64_t>();
    got.erase(got.begin(), got.begin() + static_cast<std::ptrdiff_t>(input.size()));
    const auto equal = std::mismatch(got.begin(), got.end(), expected.begin(), expected.end()).first - got.begin();
    const std::int64_t needed = prompt.at(bar).as_int();
    report_.add(run, str("prompt ", index, ": ", equal, " leading ids of ", expected.size(), ", ", needed, " needed"),
                equal >= needed ? 0 : static_cast<double>(needed - equal), 0, equal >= needed);
  }

  /// exp of the mean of -log p(next id) within chunks of the text.
  void perplexity(const Model& model, const std::string& run, double tolerance) {
    const Json& bar = case_.description.at("perplexity");
    Ids ids = encode(read_text_file(case_.folder / bar.at("text").as_string()), false);
    const auto context = static_cast<std::size_t>(bar.at("context").as_int());
    ids.resize(std::min(ids.size(), static_cast<std::size_t>(bar.at("tokens").as_int())));
    double sum = 0;
    std::int64_t scored = 0;
    for (std::size_t first = 0; first < ids.size(); first += context) {
      Ids chunk(ids.begin() + static_cast<std::ptrdiff_t>(first),
                ids.begin() + static_cast<std::ptrdiff_t>(std::min(ids.size(), first + context)));
      if (begins())  // every chunk, with what begins the prompts
        chunk.front() = case_.description.at("prompts").as_array().front().at("input_ids").as_array()[0].as_int();
      ModelInputs in;
      in.input_ids = in.labels = row(chunk);
      const auto targets = static_cast<std::int64_t>(chunk.size()) - 1;
      sum += model.forward(in).loss.item() * static_cast<double>(targets);
      scored += targets;
    }
    const double expected = bar.at("perplexity").as_double();
    const double got = std::exp(sum / static_cast<double>(scored));
    const double error = std::fabs(got / expected - 1);
    report_.add_exact(run, "perplexity: tokens scored", scored == bar.at("scored").as_int());
    report_.add(run, str("perplexity ", got, " against ", expected), error, tolerance, error <= tolerance);
  }

  /// Mean over the tokens of each text, then length 1: [N, D].
  static Tensor embed(const Model& model, const std::vector<Ids>& texts) {
    std::size_t longest = 0;
    for (const Ids& ids : texts) longest = std::max(longest, ids.size());
    Ids padded, mask;
    for (const Ids& ids : texts)
      for (std::size_t i = 0; i < longest; ++i) {
        padded.push_back(i < ids.size() ? ids[i] : 0);
        mask.push_back(i < ids.size());
      }
    const Shape shape = {static_cast<std::int64_t>(texts.size()), static_cast<std::int64_t>(longest)};
    ModelInputs in;
    in.input_ids = Tensor::from(padded, shape);
    in.attention_mask = Tensor::from(mask, shape);
    const Tensor hidden = model.forward(in).last_hidden_state;
    const std::vector<float> values = hidden.to_vector<float>();
    const auto width = static_cast<std::size_t>(hidden.size(2));
    std::vector<float> out;
    for (std::size_t t = 0; t < texts.size(); ++t) {
      std::vector<double> mean(width);
      double norm = 0;
      for (std::size_t i = 0; i < texts[t].size(); ++i)
        for (std::size_t d = 0; d < width; ++d) mean[d] += static_cast<double>(values[(t * longest + i) * width + d]);
      for (const double m : mean) norm += m * m;
      for (const double m : mean) out.push_back(static_cast<float>(m / std::sqrt(norm)));
    }
    return Tensor::from(out, {shape[0], hidden.size(2)});
  }

  void compare(const std::string& run, const std::string& item, const Tensor& got, const Tensor& expected) {
    const double error = relative_error(got, expected);
    report_.add(run, item, error, 1e-4, error <= 1e-4);
  }

  const Case& case_;
  Report& report_;
  Checkpoint checkpoint_;
  Tokenizer tokenizer_;
  std::shared_ptr<const WeightSource> expected_;
};

}  // namespace

void run_real_case(const Case& c, const Options& options, Report& report) {
  const Json* name = c.description.find("name");
  const Json* model_type = c.description.find("model_type");
  const std::string task = c.description.find("task") ? c.description.at("task").as_string() : "";
  if (!name || !model_type) return report.skip("a real case without a name or model_type");
  if (!find_architecture(model_type->as_string())) return report.skip("no architecture " + model_type->as_string());
  if (task != "text-generation" && task != "feature-extraction" && task != "sparse-embedding")
    return report.skip("no room for the task " + task);
  for (const fs::path& folder : options.models) {
    fs::path model = folder / name->as_string();
    const std::string& file = c.description.at("files").as_array().front().as_string();
    if (file.ends_with(".gguf")) model /= file;
    if (!fs::exists(model)) continue;
    RealCase real(c, model, report);
    if (task == "text-generation") return real.generation();
    return task == "sparse-embedding" ? real.sparse_embeddings() : real.embeddings();
  }
  report.skip("no model " + name->as_string() + " on this machine (--models DIR)");
}

}  // namespace trustformers::goldens
