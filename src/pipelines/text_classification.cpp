// text-classification: labels of texts and pairs of texts.
#include <algorithm>

#include "text_batches.h"

namespace trustformers {
namespace {

enum class LabelScore { softmax, sigmoid, none };

class TextClassification final : public PipelineTask {
 public:
  using PipelineTask::PipelineTask;

  Json run(const PipelineCall& call) const override {
    CallOptions v(call.options, parts_.task);
    // A top_k, even null (all labels), asks for lists; without it one result is a dictionary. transformers looks for it
    // in two places, so that a top_k given beforehand lists a single text twice; model cards show that.
    const bool lists = v.find("top_k") != nullptr;
    std::optional<std::int64_t> top_k;
    v("top_k", top_k);
    if (top_k && *top_k < 1) v.fail_type("top_k", "at least 1");
    const LabelScore score = read_score(v);
    const EncodeOptions encode = read_encode_options(v, tokenizer());
    const std::int64_t batch_size = read_batch_size(v);
    v.finish();

    const bool single = !call.inputs.is_array();
    std::vector<Encoding> encodings;
    if (single)
      encodings.push_back(encode_input(call.inputs, encode));
    else
      for (const Json& input : call.inputs.as_array()) encodings.push_back(encode_input(input, encode));
    std::vector<Json> results(encodings.size());
    run_batches(parts_, encodings, batch_size, call.cancel,
                [&](const ModelOutput& output, const Tensor&, std::span<const BatchRow> rows) {
                  const auto logits = output.logits.to_vector<float>();
                  const std::size_t labels = logits.size() / rows.size();
                  for (std::size_t r = 0; r < rows.size(); ++r)
                    results[rows[r].index] = result(std::span(logits).subspan(r * labels, labels), score, lists, top_k);
                });
    if (!single) return Json(Json::Array(results.begin(), results.end()));
    const bool wrapped = call.inputs.is_string() && call.given.find("top_k") == nullptr;
    return wrapped ? Json(Json::Array{std::move(results[0])}) : std::move(results[0]);
  }

 private:
  LabelScore read_score(CallOptions& v) const {
    std::string name;
    v("function_to_apply", name);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (name == "softmax") return LabelScore::softmax;
    if (name == "sigmoid") return LabelScore::sigmoid;
    if (name == "none") return LabelScore::none;
    if (!name.empty()) v.fail_type("function_to_apply", "\"softmax\", \"sigmoid\" or \"none\"");
    const CommonConfig& config = model().common();
    if (config.problem_type == "regression") return LabelScore::none;
    return config.problem_type == "multi_label_classification" || config.num_labels == 1 ? LabelScore::sigmoid
                                                                                         : LabelScore::softmax;
  }

  Encoding encode_input(const Json& input, const EncodeOptions& options) const {
    if (input.is_string()) return tokenizer().encode(input.as_string(), options);
    const Json* text = input.find("text");
    const Json* pair = input.find("text_pair");
    check(text && text->is_string() && (!pair || pair->is_string()) && input.size() == (pair ? 2U : 1U),
          ErrorCode::invalid_argument, "[text-classification] a text or {\"text\", \"text_pair\"} expected, got ",
          input.dump());
    if (!pair) return tokenizer().encode(text->as_string(), options);
    return tokenizer().encode({text->as_string(), pair->as_string()}, options);
  }

  Json result(std::span<const float> logits, LabelScore score, bool lists, std::optional<std::int64_t> top_k) const {
    std::vector<float> scores(logits.begin(), logits.end());
    if (score == LabelScore::softmax) scores = softmax_of(logits);
    if (score == LabelScore::sigmoid) std::transform(scores.begin(), scores.end(), scores.begin(), sigmoid_of);
    std::vector<std::size_t> order(scores.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
    Json::Array out;
    for (const std::size_t id : order) {
      Json record = Json::object();
      record.set("label", label(id));
      record.set("score", static_cast<double>(scores[id]));
      if (!lists) return record;
      out.push_back(std::move(record));
    }
    if (top_k && out.size() > static_cast<std::size_t>(*top_k)) out.resize(static_cast<std::size_t>(*top_k));
    return Json(std::move(out));
  }
};

}  // namespace

PipelineTaskPtr make_text_classification(PipelineParts parts) {
  return std::make_shared<const TextClassification>(std::move(parts));
}

}  // namespace trustformers
