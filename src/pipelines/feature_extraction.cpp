// feature-extraction: the states of a model's last layer, one vector a token; or pooled to one a text.
#include <algorithm>

#include "text_batches.h"

namespace trustformers {
namespace {

Json numbers_of(std::span<const float> values) {
  Json::Array out;
  out.reserve(values.size());
  for (const float value : values) out.emplace_back(static_cast<double>(value));
  return Json(std::move(out));
}

class FeatureExtraction final : public PipelineTask {
 public:
  using PipelineTask::PipelineTask;

  Json run(const PipelineCall& call) const override {
    CallOptions v(call.options, parts_.task);
    const EncodeOptions encode = read_encode_options(v, tokenizer(), "tokenize_kwargs");
    // Not of transformers but of transformers.js: one vector a text.
    std::string pooling = "none";
    v("pooling", pooling);
    const std::optional<SentencePooling::Mode> mode = SentencePooling::find_mode(pooling);
    if (!mode && pooling != "none")
      v.fail_type("pooling", "one of none, cls, max, mean, mean_sqrt_len_tokens, weightedmean, lasttoken");
    bool normalize = false;
    v("normalize", normalize);
    const std::int64_t batch_size = read_batch_size(v);
    v.finish();
    const TextInputs inputs = text_inputs(call.inputs, parts_.task);
    std::vector<Encoding> encodings;
    for (const std::string& text : inputs.texts) encodings.push_back(tokenizer().encode(text, encode));
    std::vector<Json> results(encodings.size());
    run_batches(parts_, encodings, batch_size, call.cancel,
                [&](const ModelOutput& output, const Tensor& attention_mask, std::span<const BatchRow> rows) {
                  Tensor states = output.last_hidden_state;
                  if (mode) states = SentencePooling({*mode})(states, attention_mask);
                  if (normalize) states = l2_normalized(states);
                  const auto width = static_cast<std::size_t>(states.size(-1));
                  const auto pooled = mode ? states.to_vector<float>() : std::vector<float>();
                  for (std::size_t r = 0; r < rows.size(); ++r)
                    results[rows[r].index] = mode ? numbers_of(std::span(pooled).subspan(r * width, width))
                                                  : Json(Json::Array{token_vectors(rows[r].of(states), width)});
                });
    if (inputs.list || mode) return Json(Json::Array(results.begin(), results.end()));
    return std::move(results[0]);
  }

 private:
  static Json token_vectors(const Tensor& states, std::size_t width) {
    const auto values = states.to_vector<float>();
    Json::Array out;
    for (std::size_t i = 0; i < values.size(); i += width)
      out.push_back(numbers_of(std::span(values).subspan(i, width)));
    return Json(std::move(out));
  }
};

}  // namespace

PipelineTaskPtr make_feature_extraction(PipelineParts parts) {
  return std::make_shared<const FeatureExtraction>(std::move(parts));
}

}  // namespace trustformers
