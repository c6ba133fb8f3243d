// Generation, pulled step by step.
#include "../generation/generation_steps.h"
#include "handles.h"
#include "watch.h"

using namespace trustformers;

/// Shared, because a generation may outlive the handle.
struct tf_session : capi::Counted {
  struct State {
    explicit State(std::shared_ptr<const Model> m) : model(std::move(m)), session(*model) {}
    std::shared_ptr<const Model> model;
    Session session;
    std::weak_ptr<void> user;  // the generation under way
  };
  std::shared_ptr<State> state;
};

struct tf_generation : capi::Counted {
  std::shared_ptr<const Model> model;
  std::shared_ptr<tf_session::State> session;
  std::shared_ptr<void> claim;  // on the session
  std::unique_ptr<GenerationSteps> steps;
  std::span<const std::int64_t> last;
  bool finished = false;
};

namespace trustformers::capi {
namespace {

std::vector<std::int64_t> one_prompt_of(const ModelInputs& inputs) {
  const Tensor& ids = inputs.input_ids;
  check(ids.defined() && ids.rank() == 2 && ids.size(0) == 1, ErrorCode::shape_mismatch,
        "[generate] a session continues one prompt: input_ids must be [1, L], got ",
        ids.defined() ? str(describe(ids)) : "nothing");
  if (inputs.attention_mask.defined())
    for (const std::int64_t seen : inputs.attention_mask.to_vector<std::int64_t>())
      check(seen != 0, ErrorCode::invalid_argument, "[generate] the prompt of a session may hold no padding");
  return ids.to_vector<std::int64_t>();
}

GenerationConfig config_of(const tf_model& model, const char* options) {
  GenerationConfig config = model.defaults;
  if (!options || !*options) return config;
  const Json given = Json::parse(options, "generate");
  check(given.is_object(), ErrorCode::invalid_argument, "[generate] options must be a JSON object, got ",
        given.type_name());
  const auto names = grammar_settings();
  Json settings = Json::object();
  for (const auto& [name, value] : given.as_object())
    if (std::find(names.begin(), names.end(), name) == names.end()) settings.set(name, value);
  config.update(settings, "options");
  std::optional<Grammar> grammar = grammar_of(given);
  check(model.text || (!grammar && config.stop_strings.empty()), ErrorCode::invalid_argument,
        "[generate] grammars and stop_strings need the model's tokenizer: tf_model_set_tokenizer");
  if (grammar) constrain(config, model.text->vocabulary(), std::move(*grammar));
  if (!config.stop_strings.empty()) apply_stop_strings(config, model.text->tokenizer.tokenizer());
  return config;
}

std::unique_ptr<tf_generation> make_generation(const tf_model& model, tf_session* session, const ModelInputs& inputs,
                                               const char* options, const tf_watch* watch) {
  GenerationConfig config = config_of(model, options);
  const std::shared_ptr<const Watch> watched = Watch::make(watch);
  const CancelToken cancel = watched && watched->token() ? *watched->token() : CancelToken();
  auto out = std::make_unique<tf_generation>();
  out->model = model.model;
  if (!session) {
    out->steps = std::make_unique<GenerationSteps>(*model.model, inputs, std::move(config), cancel);
    return out;
  }
  tf_session::State& state = *session->state;
  check(state.model == model.model, ErrorCode::invalid_argument, "[generate] the session is of another model");
  check(state.user.expired(), ErrorCode::invalid_argument, "[generate] the session is in use: stop that generation");
  out->steps = std::make_unique<GenerationSteps>(state.session, one_prompt_of(inputs), std::move(config), cancel);
  out->session = session->state;
  out->claim = std::make_shared<char>();
  state.user = out->claim;
  return out;
}

tf_step step_of(const tf_generation& generation) {
  return {sizeof(tf_step), generation.finished, generation.last.data(), generation.last.size()};
}

}  // namespace
}  // namespace trustformers::capi

using namespace trustformers::capi;

extern "C" {

tf_status tf_session_create(const tf_model* model, tf_session** out) {
  return making(out, [&] {
    const auto& shared = required(model, "the model").model;
    check(shared->can_generate(), ErrorCode::unsupported, "[session] ", shared->class_name(),
          " does not generate text");
    auto session = std::make_unique<tf_session>();
    session->state = std::make_shared<tf_session::State>(shared);
    return session;
  });
}
void tf_session_free(tf_session* session) { delete session; }

tf_status tf_generation_create(const tf_model* model, tf_session* session, const tf_named_tensor* inputs, size_t count,
                               const char* options, const tf_watch* watch, tf_generation** out) {
  return making(out, [&] {
    return make_generation(required(model, "the model"), session, model_inputs(inputs, count), options, watch);
  });
}

void tf_generation_free(tf_generation* generation) { delete generation; }

tf_status tf_generation_step(tf_generation* generation, tf_step_done done, void* user) {
  const tf_status status = guarded([&] {
    tf_generation& g = required(generation, "the generation");
    g.last = {};
    g.finished = true;  // unless tokens come
    g.last = g.steps->step();
    g.finished = g.last.empty();
    if (g.finished) g.claim.reset();
  });
  if (status != TF_OK && generation) generation->claim.reset();
  if (!done) return status;
  const tf_step step = generation ? step_of(*generation) : tf_step{sizeof(tf_step), 1, nullptr, 0};
  done(user, status, &step);
  return TF_OK;
}

tf_status tf_generation_last(const tf_generation* generation, tf_step* step) {
  return guarded([&] { give_struct(step, step_of(required(generation, "the generation")), sizeof(tf_step)); });
}

tf_status tf_generation_stop(tf_generation* generation) {
  return guarded([&] {
    tf_generation& g = required(generation, "the generation");
    g.steps->stop();
    g.claim.reset();
    g.finished = true;
    g.last = {};
  });
}

tf_status tf_generation_sequences(const tf_generation* generation, tf_tensor** out) {
  return making(out, [&] { return wrap(required(generation, "the generation").steps->sequences()); });
}

tf_status tf_generation_get_stats(const tf_generation* generation, tf_generation_stats* stats) {
  return guarded([&] {
    const GenerateStats& s = required(generation, "the generation").steps->stats();
    give_struct(stats,
                tf_generation_stats{sizeof(tf_generation_stats), 0, s.prompt_tokens, s.reused_tokens, s.new_tokens,
                                    s.prefill_seconds, s.decode_seconds},
                sizeof(tf_generation_stats));
  });
}
}
