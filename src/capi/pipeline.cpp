// Pipelines: JSON in, JSON out, and text piece by piece.
#include "../pipelines/pipeline.h"

#include "handles.h"
#include "watch.h"

using namespace trustformers;

struct tf_pipeline : capi::Counted {
  explicit tf_pipeline(Pipeline p) : pipeline(std::move(p)) {}
  Pipeline pipeline;
};

struct tf_pipeline_stream : capi::Counted {
  explicit tf_pipeline_stream(TextStream s) : stream(std::move(s)) {}
  TextStream stream;
  std::string piece;
};

namespace trustformers::capi {
namespace {

Json pipeline_options(const char* text) {
  return text && *text ? Json::parse(text, "pipeline options") : Json::object();
}

/// A copy shares the flag, so that the caller's handle may go.
CancelToken cancel_of(const tf_watch* watch) {
  const auto given = Watch::make(watch);
  return given && given->token() ? *given->token() : CancelToken();
}

}  // namespace
}  // namespace trustformers::capi

using namespace trustformers::capi;

extern "C" {

tf_status tf_pipeline_open(const char* task, const char* model, const char* options, const tf_watch* watch,
                           tf_pipeline** out) {
  return making(out, [&] {
    LoadOptions load;
    if (const auto watched = Watch::make(watch))
      load.parameters.progress = [watched](const ProgressEvent& event) { watched->report(event); };
    return std::make_unique<tf_pipeline>(
        pipeline(required_text(task, "the task"), model ? model : "", pipeline_options(options), load));
  });
}

tf_status tf_pipeline_create(const char* task, const tf_tokenizer* tokenizer, const tf_model* model,
                             const tf_files* files, const char* options, tf_pipeline** out) {
  return making(out, [&] {
    const tf_model& own = required(model, "the model");
    return std::make_unique<tf_pipeline>(pipeline(required_text(task, "the task"),
                                                  required(tokenizer, "the tokenizer").tokenizer,
                                                  PreTrainedModel(own.model, own.defaults, own.generation_config),
                                                  pipeline_options(options), files ? &files->folder->small : nullptr));
  });
}

void tf_pipeline_free(tf_pipeline* pipeline) { delete pipeline; }

tf_status tf_pipeline_tasks(char** json) {
  return make_text(json, nullptr, [] {
    Json::Array out;
    for (const PipelineName& name : pipeline_tasks())
      out.push_back(Json::Object{
          {"task", name.task}, {"model_task", to_string(name.model)}, {"default_model", name.default_model}});
    return Json(std::move(out)).dump();
  });
}

tf_status tf_pipeline_run(const tf_pipeline* pipeline, const char* inputs, const char* options, const tf_watch* watch,
                          char** json, size_t* size) {
  return make_text(json, size, [&] {
    const Json given = Json::parse(required_text(inputs, "the inputs"), "pipeline inputs");
    return required(pipeline, "the pipeline").pipeline(given, pipeline_options(options), cancel_of(watch)).dump();
  });
}

tf_status tf_pipeline_stream_create(const tf_pipeline* pipeline, const char* input, const char* options,
                                    const tf_watch* watch, tf_pipeline_stream** out) {
  return making(out, [&] {
    const Json given = Json::parse(required_text(input, "the input"), "pipeline input");
    return std::make_unique<tf_pipeline_stream>(
        required(pipeline, "the pipeline").pipeline.stream(given, pipeline_options(options), cancel_of(watch)));
  });
}

void tf_pipeline_stream_free(tf_pipeline_stream* stream) { delete stream; }

tf_status tf_pipeline_stream_next(tf_pipeline_stream* stream, tf_text* piece, int32_t* finished) {
  return guarded([&] {
    tf_pipeline_stream& s = required(stream, "the stream");
    required(piece, "the place for the piece");
    required(finished, "the place for the end");
    std::optional<std::string> next = s.stream.step();
    *finished = !next;
    s.piece = std::move(next).value_or("");
    *piece = {s.piece.data(), s.piece.size()};
  });
}

tf_status tf_pipeline_stream_tokens(const tf_pipeline_stream* stream, const int64_t** tokens, size_t* count) {
  return guarded([&] {
    const std::vector<std::int64_t>& all = required(stream, "the stream").stream.tokens();
    required(tokens, "the place for the tokens") = all.data();
    required(count, "the place for the count") = all.size();
  });
}

tf_status tf_pipeline_stream_stop(tf_pipeline_stream* stream) {
  return guarded([&] { required(stream, "the stream").stream.stop(); });
}

tf_status tf_pipeline_stream_result(const tf_pipeline_stream* stream, char** json, size_t* size) {
  return make_text(json, size, [&] { return required(stream, "the stream").stream.result().dump(); });
}
}
