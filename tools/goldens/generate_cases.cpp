#include "generate_cases.h"

#include "../../src/generation/generate.h"
#include "../../src/models/auto.h"
#include "../../src/weights/open.h"
#include "compare.h"
#include "guarded.h"
#include "model_cases.h"

namespace trustformers::goldens {
namespace {

Tensor matrix(const Json& rows) {
  std::vector<std::int64_t> values;
  for (const Json& row : rows.as_array())
    for (const Json& id : row.as_array()) values.push_back(id.as_int());
  const auto height = static_cast<std::int64_t>(rows.size());
  return Tensor::from(values, {height, static_cast<std::int64_t>(values.size()) / height});
}

void run_entry(const Case& c, const Model& model, const Json& entry, Report& report) {
  const std::string run = "generate/" + entry.at("name").as_string();
  const Json* ids = entry.find("output_ids");
  const Json* new_ids = entry.find("new_ids");
  if (!ids && !new_ids) return report.skip(run + ": has neither output_ids nor new_ids");

  std::unique_ptr<Model> assistant;
  Json settings = entry.at("settings");
  if (const Json* folder = settings.find("assistant_model"); folder && folder->is_string()) {
    LoadOptions options;
    options.class_name = c.description.at("class").as_string();
    assistant = load_model(open_checkpoint(c.folder / folder->as_string()), options);
    settings.set("assistant_model", nullptr);
  }
  GenerationConfig config = GenerationConfig::from_pretrained(c.folder, model.config());
  try {
    config.update(settings, run);
    config.assistant = assistant.get();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::unsupported) throw;
    return report.skip(run + ": " + error.message());
  }
  ModelInputs in;
  const auto stored_inputs = [&] { return open_weights(c.folder / "inputs.safetensors"); };
  if (const Json* stored = entry.find("run")) {
    std::vector<std::string> unknown;
    in = read_inputs(*stored_inputs(), stored->as_string(), unknown);
    in.decoder_input_ids = in.decoder_attention_mask = in.labels = Tensor();  // of the forward pass alone
  } else {
    in.input_ids = matrix(entry.at("input_ids"));
    if (const Json* mask = entry.find("attention_mask")) in.attention_mask = matrix(*mask);
  }
  if (const Json* text = entry.find("encoder_inputs")) {  // "single/encoder_hidden_states, from ..."
    const std::string name = text->as_string().substr(0, text->as_string().find(','));
    Tensor* const member = in.find(name.substr(name.rfind('/') + 1));
    check(member, ErrorCode::unsupported, "[goldens] encoder_inputs names ", name);
    *member = stored_inputs()->load(name);
  }
  const GenerateOutput out = generate(model, in, config);
  const Tensor& got = out.sequences;
  std::vector<std::int64_t> flat = got.to_vector<std::int64_t>();
  if (new_ids) {
    std::vector<std::int64_t> kept;
    for (std::int64_t b = 0; b < got.size(0); ++b)
      kept.insert(kept.end(), flat.begin() + b * got.size(1) + in.input_ids.size(1),
                  flat.begin() + (b + 1) * got.size(1));
    flat = std::move(kept);
  }
  report.add_exact(run, new_ids ? "new_ids" : "output_ids",
                   flat == matrix(new_ids ? *new_ids : *ids).to_vector<std::int64_t>());
  if (!out.sequences_scores.defined()) return;
  const auto expected = open_weights(c.folder / "expected.safetensors");
  const std::string name = entry.at("name").as_string() + "/sequences_scores";
  if (!expected->find(name)) return;
  const Tensor want = expected->load(name);
  const double tolerance = c.description.at("tolerance").as_double();
  const double error = relative_error(out.sequences_scores, want);
  report.add(run, "sequences_scores", error, tolerance, error <= tolerance);
}

}  // namespace

void run_generate_cases(const Case& c, Report& report) {
  const std::unique_ptr<Model> model = open_model(c);
  for (const Json& entry : c.description.at("generate").as_array())
    guarded(report, "generate/" + entry.at("name").as_string(), [&] { run_entry(c, *model, entry, report); });
}

}  // namespace trustformers::goldens
