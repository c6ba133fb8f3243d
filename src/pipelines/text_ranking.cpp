// text-ranking: documents in the order in which they answer a query, judged by a cross-encoder, as the CrossEncoder of
// sentence-transformers ranks them.
#include <algorithm>

#include "text_batches.h"

namespace trustformers {
namespace {

class TextRanking final : public PipelineTask {
 public:
  explicit TextRanking(PipelineParts parts) : PipelineTask(std::move(parts)) {
    check(model().common().num_labels == 1, ErrorCode::unsupported, "[text-ranking] needs a model with one label, ",
          model().class_name(), " has ", model().common().num_labels);
    // One label is squashed to (0, 1) unless the config names another function.
    const Json* own = model().config().find("sentence_transformers");
    const Json* function = own ? own->find("activation_fn") : nullptr;
    if (!function) function = model().config().find("sbert_ce_default_activation_function");
    if (!function || !function->is_string()) return;
    const std::string& name = function->as_string();
    squash_ = name.ends_with("Sigmoid");
    check(squash_ || name.ends_with("Identity"), ErrorCode::unsupported, "[text-ranking] the activation function ",
          name, " is not supported");
  }

  Json run(const PipelineCall& call) const override {
    CallOptions v(call.options, parts_.task);
    std::optional<std::int64_t> top_k;
    v("top_k", top_k);
    if (top_k && *top_k < 1) v.fail_type("top_k", "at least 1");
    bool return_documents = false;
    v("return_documents", return_documents);
    const std::int64_t batch_size = read_batch_size(v);
    v.finish();
    const Json* query = call.inputs.find("query");
    const Json* documents = call.inputs.find("documents");
    check(query && query->is_string() && documents, ErrorCode::invalid_argument,
          "[text-ranking] {\"query\", \"documents\"} expected, got ", call.inputs.type_name());
    const std::vector<std::string> texts = text_inputs(*documents, parts_.task).texts;
    EncodeOptions encode;
    if (const auto limit = tokenizer().model_max_length()) encode.truncation = Truncation{.max_length = *limit};
    std::vector<Encoding> encodings;
    for (const std::string& text : texts) encodings.push_back(tokenizer().encode({query->as_string(), text}, encode));
    std::vector<float> scores(texts.size());
    run_batches(parts_, encodings, batch_size, call.cancel,
                [&](const ModelOutput& output, const Tensor&, std::span<const BatchRow> rows) {
                  const auto logits = output.logits.to_vector<float>();
                  for (std::size_t r = 0; r < rows.size(); ++r)
                    scores[rows[r].index] = squash_ ? sigmoid_of(logits[r]) : logits[r];
                });
    std::vector<std::size_t> order(texts.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
    if (top_k && order.size() > static_cast<std::size_t>(*top_k)) order.resize(static_cast<std::size_t>(*top_k));
    Json::Array out;
    for (const std::size_t i : order) {
      Json record = Json::object();
      record.set("corpus_id", i);
      record.set("score", static_cast<double>(scores[i]));
      if (return_documents) record.set("text", texts[i]);
      out.push_back(std::move(record));
    }
    return Json(std::move(out));
  }

 private:
  bool squash_ = true;
};

}  // namespace

PipelineTaskPtr make_text_ranking(PipelineParts parts) { return std::make_shared<const TextRanking>(std::move(parts)); }

}  // namespace trustformers
