// sentence-similarity: how alike a sentence is to each of some others. The inputs are those of the hub's inference API.
#include "../ops/shape/shape_ops.h"
#include "text_batches.h"

namespace trustformers {
namespace {

class SentenceSimilarity final : public PipelineTask {
 public:
  using PipelineTask::PipelineTask;

  Json run(const PipelineCall& call) const override {
    CallOptions v(call.options, parts_.task);
    const std::int64_t batch_size = read_batch_size(v);
    v.finish();
    if (!call.inputs.is_array()) return one(call.inputs, batch_size);
    Json::Array out;
    for (const Json& input : call.inputs.as_array()) {
      call.cancel.check(parts_.task);
      out.push_back(one(input, batch_size));
    }
    return Json(std::move(out));
  }

 private:
  Json one(const Json& input, std::int64_t batch_size) const {
    const Json* source = input.find("source_sentence");
    const Json* others = input.find("sentences");
    check(source && source->is_string() && others, ErrorCode::invalid_argument,
          "[sentence-similarity] {\"source_sentence\", \"sentences\"} expected, got ", input.dump());
    std::vector<std::string> texts = text_inputs(*others, parts_.task).texts;
    texts.push_back(source->as_string());
    const NoGrad quiet;
    const Tensor vectors = parts_.sentences->encode(texts, batch_size);
    const std::int64_t last = vectors.size(0) - 1;
    const Tensor cosines = SentenceTransformer::similarity(slice(vectors, 0, last), slice(vectors, 0, 0, last));
    Json::Array out;
    for (const float cosine : cosines.to_vector<float>()) out.push_back(Json(static_cast<double>(cosine)));
    return Json(std::move(out));
  }
};

}  // namespace

PipelineTaskPtr make_sentence_similarity(PipelineParts parts) {
  return std::make_shared<const SentenceSimilarity>(std::move(parts));
}

}  // namespace trustformers
