#include "model_cases.h"

#include <algorithm>

#include "../../src/base/file.h"
#include "../../src/ops/shape/shape_ops.h"
#include "../../src/tensor/context.h"
#include "../../src/tensor/op.h"
#include "../../src/weights/gguf.h"
#include "../../src/weights/open.h"
#include "compare.h"
#include "guarded.h"

namespace trustformers::goldens {
namespace {

namespace fs = std::filesystem;

/// The file that stands for the checkpoint: of several shards their index, found by the folder.
fs::path checkpoint_path(const Case& c) {
  const Json& weights = c.description.at("weights");
  if (weights.is_string()) return c.folder / weights.as_string();
  if (weights.size() == 1) return c.folder / weights.as_array().front().as_string();
  for (const Json& file : weights.as_array())
    if (file.as_string().ends_with(".index.json")) return c.folder / file.as_string();
  return c.folder / weights.as_array().front().as_string();
}

/// `open_checkpoint` finds an index by its folder.
Checkpoint open_case_checkpoint(const Case& c) {
  const fs::path path = checkpoint_path(c);
  return open_checkpoint(path.extension() == ".json" ? c.folder : path);
}

bool made_by_transformers_5(const Case& c) {
  const Json* made_with = c.description.find("made_with");
  const Json* version = made_with ? made_with->find("transformers") : nullptr;
  return version && version->is_string() && version->as_string().starts_with("5.");
}

std::int64_t batch_of(const ModelInputs& in) { return (in.input_ids ? in.input_ids : in.inputs_embeds).size(0); }
std::int64_t length_of(const ModelInputs& in) { return (in.input_ids ? in.input_ids : in.inputs_embeds).size(1); }

/// Columns [first, end) of everything that has one column a token, and nothing of what is not one. Of an
/// encoder-decoder, columns of what its decoder reads; its encoder's inputs stay whole.
ModelInputs columns(const ModelInputs& in, std::int64_t first, std::int64_t end, bool decoder = false) {
  ModelInputs out;
  if (decoder) {
    out = in;
    for (const auto member :
         {&ModelInputs::decoder_input_ids, &ModelInputs::decoder_inputs_embeds, &ModelInputs::decoder_attention_mask})
      if ((in.*member).defined()) out.*member = contiguous(slice(in.*member, 1, first, end));
    return out;
  }
  for (const auto member :
       {&ModelInputs::input_ids, &ModelInputs::inputs_embeds, &ModelInputs::token_type_ids, &ModelInputs::position_ids})
    if ((in.*member).defined()) out.*member = contiguous(slice(in.*member, 1, first, end));
  out.encoder_hidden_states = in.encoder_hidden_states;
  out.encoder_attention_mask = in.encoder_attention_mask;
  return out;
}

ModelInputs row(const ModelInputs& in, std::int64_t index) {
  ModelInputs out = in;
  for (const auto member :
       {&ModelInputs::input_ids, &ModelInputs::inputs_embeds, &ModelInputs::attention_mask,
        &ModelInputs::token_type_ids, &ModelInputs::position_ids, &ModelInputs::encoder_hidden_states,
        &ModelInputs::encoder_attention_mask, &ModelInputs::decoder_input_ids, &ModelInputs::decoder_inputs_embeds,
        &ModelInputs::decoder_attention_mask, &ModelInputs::labels})
    if ((in.*member).defined() && (in.*member).size(0) > 1) out.*member = slice(in.*member, 0, index, index + 1);
  return out;
}

/// True when the rotary base depends on how long the text is, so that parts of it give other results than the whole.
bool rope_depends_on_length(const Model& model, const ModelInputs& in) {
  if (const Json* ntk = model.config().find("use_dynamic_ntk"); ntk && ntk->as_bool())
    return length_of(in) > model.config().at("seq_length").as_int();
  const Json* rope = model.config().find("rope_parameters");
  if (!rope || rope->is_null()) rope = model.config().find("rope_scaling");
  if (!rope) return false;
  const Json* type = rope->find("rope_type");
  if (!type) type = rope->find("type");
  return type && type->is_string() && (type->as_string() == "dynamic" || type->as_string() == "longrope");
}

/// One for each position of the text that the encoder reads; the rest of an encoder-decoder's are its decoder's.
bool by_encoder_position(std::string_view item) {
  return item.starts_with("encoder_last_hidden_state") || item.starts_with("encoder_hidden_states.");
}

constexpr std::string_view outputs_by_position[] = {
    "encoder_last_hidden_state", "last_hidden_state", "logits", "start_logits", "end_logits", "prediction_logits"};

class ForwardCases {
 public:
  ForwardCases(const Case& c, Report& report)
      : case_(c),
        report_(report),
        inputs_(open_weights(c.folder / "inputs.safetensors")),
        expected_(open_weights(c.folder / "expected.safetensors")),
        tolerance_(c.description.at("tolerance").as_double()) {}

  void run() {
    for (const auto& [run, text] : case_.description.at("runs").as_object()) {
      if (run == "train") continue;
      guarded(report_, run, [&] { run_one(run); });
    }
  }

 private:
  void run_one(const std::string& run) {
    std::vector<std::string> unknown;
    ModelInputs in = read_inputs(*inputs_, run, unknown);
    if (const Json* call = case_.description.find("call"); call && call->find(run))
      for (const auto& [name, value] : call->at(run).as_object()) {
        if (name == "output_hidden_states")
          in.output_hidden_states = value.as_bool();
        else if (name == "output_router_logits")
          in.output_router_logits = value.as_bool();
        else
          unknown.push_back(name);
      }
    if (!unknown.empty()) return report_.skip(run + ": no argument is called " + unknown.front());
    if (!in.input_ids && !in.inputs_embeds) return report_.skip(run + ": has no input_ids or inputs_embeds");

    LoadOptions options;
    if (fs::exists(case_.folder / "adapter") && run != "base") {
      options.adapter = case_.folder / "adapter";
      options.parameters.merge_adapter = run == "merged";
    }
    const std::unique_ptr<Model> model = open_model(case_, options);
    const NoGrad no_grad;
    if (expected_->find(run + "/logits.0")) return cached(*model, run, in);
    if (const TensorEntry* logits = expected_->find(run + "/logits"); logits && in.input_ids && model->can_generate() &&
                                                                      !model->is_encoder_decoder() &&
                                                                      logits->shape[1] < length_of(in))
      return run.ends_with("_steps") ? greedy_steps(*model, run, in) : last_positions(*model, run, in);

    for (const TensorEntry& entry : expected_->entries())
      if (entry.name.starts_with(run + "/") && entry.name.find("hidden_states.") != std::string::npos)
        in.output_hidden_states = true;
    const ModelOutput out = model->forward(in);
    for (const TensorEntry& entry : expected_->entries()) {
      if (!entry.name.starts_with(run + "/")) continue;
      const std::string item = entry.name.substr(run.size() + 1);
      const Tensor expected = expected_->load(entry.name);
      Tensor got = out.find(item);
      if (run == "merged" && item.ends_with(".weight")) got = parameter(*model, item);
      if (!got) return report_.add(run, item + " (missing)", 1, 0, false);
      const bool by_position = item.find("hidden_states.") != std::string::npos ||
                               std::find(std::begin(outputs_by_position), std::end(outputs_by_position), item) !=
                                   std::end(outputs_by_position);
      const Tensor& mask =
          model->is_encoder_decoder() && !by_encoder_position(item) ? in.decoder_attention_mask : in.attention_mask;
      compare(run, item, got, expected, by_position ? unpadded_positions(mask, got.shape()) : std::vector<bool>());
    }
    threads(run, options, out);
    if (in.input_ids && in.input_ids.rank() != 2) return;  // choices
    if (model->is_encoder_decoder()) return encoder_decoder(*model, run, in, out);
    if (rope_depends_on_length(*model, in)) return;  // then the reference's rows and caches differ too
    rows_alone(*model, run, in, out);
    if (model->can_generate() && !in.labels) stepwise(*model, run, in, out);
  }

  /// A prompt and then one token a step, the logits of each stored.
  void cached(const Model& model, const std::string& run, const ModelInputs& in) {
    const ModelOutput whole = model.forward(in);
    KVCache cache;
    std::int64_t done = 0;
    for (std::size_t step = 0;; ++step) {
      const std::string item = "logits." + std::to_string(step);
      if (!expected_->find(run + "/" + item)) break;
      const Tensor expected = expected_->load(run + "/" + item);
      ModelInputs part = columns(in, done, done + expected.size(1));
      part.cache = &cache;
      const Tensor got = model.forward(part).logits;
      compare(run, item, got, expected);
      compare(run, item + " against the whole pass", got, slice(whole.logits, 1, done, done + expected.size(1)));
      done += expected.size(1);
    }
  }

  /// The last positions of a run, one step each on a cache.
  void last_positions(const Model& model, const std::string& run, const ModelInputs& in) {
    const Tensor expected = expected_->load(run + "/logits");
    const std::int64_t length = length_of(in);
    KVCache cache;
    std::vector<Tensor> logits;
    for (std::int64_t first = 0, end = length - expected.size(1); end <= length; first = end, ++end) {
      ModelInputs part = columns(in, first, end);
      part.cache = &cache;
      const Tensor got = model.forward(part).logits;
      if (first > 0) logits.push_back(got);
    }
    compare(run, "logits", concat(logits, 1), expected);
  }

  /// What each step of greedy decoding after the prompt gives.
  void greedy_steps(const Model& model, const std::string& run, const ModelInputs& in) {
    const Tensor expected = expected_->load(run + "/logits");
    KVCache cache;
    ModelInputs part = in;
    part.cache = &cache;
    std::vector<Tensor> logits;
    while (static_cast<std::int64_t>(logits.size()) < expected.size(1)) {
      const Tensor all = model.forward(part).logits;
      logits.push_back(slice(all, 1, all.size(1) - 1));
      const std::vector<float> scores = logits.back().to_vector<float>();
      const std::int64_t best = std::max_element(scores.begin(), scores.end()) - scores.begin();
      part.input_ids = Tensor::from({best}, {1, 1});
    }
    compare(run, "logits", concat(logits, 1), expected);
  }

  /// The same run with a cache: half of it, then a token a step; positions and masks go along.
  void stepwise(const Model& model, const std::string& run, const ModelInputs& in, const ModelOutput& whole) {
    KVCache cache;
    const std::int64_t length = length_of(in);
    std::vector<Tensor> logits;
    for (std::int64_t first = 0, end = length / 2; first < length; first = end, end = first + 1) {
      ModelInputs part = columns(in, first, end);
      if (in.attention_mask) part.attention_mask = contiguous(slice(in.attention_mask, 1, 0, end));
      part.cache = &cache;
      logits.push_back(model.forward(part).logits);
    }
    compare(run, "logits with a cache", concat(logits, 1), whole.logits,
            unpadded_positions(in.attention_mask, whole.logits.shape()));
  }

  /// Each row alone, and the decoder a token a step behind an encoder that ran once.
  void encoder_decoder(const Model& model, const std::string& run, const ModelInputs& in, const ModelOutput& whole) {
    const Tensor& decoder = in.decoder_input_ids ? in.decoder_input_ids : in.decoder_inputs_embeds;
    if (!decoder) return;
    const std::int64_t length = decoder.size(1);
    if (model.can_generate()) {
      KVCache cache;
      ModelInputs part = in;
      part.encoder_hidden_states = model.encode(in).encoder_last_hidden_state;
      part.input_ids = part.inputs_embeds = part.labels = Tensor();
      part.cache = &cache;
      std::vector<Tensor> logits;
      for (std::int64_t first = 0, end = length / 2; first < length; first = end, end = first + 1) {
        ModelInputs step = columns(part, first, end, true);
        if (in.decoder_attention_mask)
          step.decoder_attention_mask = contiguous(slice(in.decoder_attention_mask, 1, 0, end));
        logits.push_back(model.forward(step).logits);
      }
      compare(run, "logits with a cache", concat(logits, 1), whole.logits,
              unpadded_positions(in.decoder_attention_mask, whole.logits.shape()));
    }
    if (!in.attention_mask || batch_of(in) < 2 || in.start_positions) return;
    const std::vector<std::int64_t> seen = in.attention_mask.to_vector<std::int64_t>();
    const std::vector<std::int64_t> heard =
        in.decoder_attention_mask ? in.decoder_attention_mask.to_vector<std::int64_t>()
                                  : std::vector<std::int64_t>(static_cast<std::size_t>(batch_of(in) * length), 1);
    for (std::int64_t b = 0; b < batch_of(in); ++b) {
      const std::int64_t tokens =
          std::count(seen.begin() + b * length_of(in), seen.begin() + (b + 1) * length_of(in), 1);
      const std::int64_t targets = std::count(heard.begin() + b * length, heard.begin() + (b + 1) * length, 1);
      // padding on the left or between tokens moves positions
      const auto source = seen.begin() + b * length_of(in), target = heard.begin() + b * length;
      if (std::count(source, source + tokens, 1) < tokens || std::count(target, target + targets, 1) < targets)
        continue;
      ModelInputs alone = columns(row(in, b), 0, targets, true);
      alone.decoder_attention_mask = alone.attention_mask = alone.labels = Tensor();
      if (alone.input_ids) alone.input_ids = contiguous(slice(alone.input_ids, 1, 0, tokens));
      if (alone.inputs_embeds) alone.inputs_embeds = contiguous(slice(alone.inputs_embeds, 1, 0, tokens));
      const ModelOutput out = model.forward(alone);
      for (const std::string_view item : {"last_hidden_state", "logits"}) {
        const Tensor got = out.find(item);
        if (!got || got.rank() != 3) continue;
        compare(run, str("row ", b, " alone: ", item), got, slice(slice(whole.find(item), 0, b, b + 1), 1, 0, targets));
      }
    }
  }

  /// Each row of a padded batch without the batch and without padding.
  void rows_alone(const Model& model, const std::string& run, const ModelInputs& in, const ModelOutput& whole) {
    if (!in.attention_mask || batch_of(in) < 2 || in.start_positions) return;
    const std::vector<std::int64_t> seen = in.attention_mask.to_vector<std::int64_t>();
    const std::int64_t length = length_of(in);
    for (std::int64_t b = 0; b < batch_of(in); ++b) {
      const auto begin = seen.begin() + b * length, end = begin + length;
      const std::int64_t first = std::find(begin, end, 1) - begin, last = std::find(begin + first, end, 0) - begin;
      // Without position ids padding on the left moves the positions of some models.
      if (std::count(begin + last, end, 1) > 0 || (first > 0 && !in.position_ids)) continue;
      ModelInputs alone = columns(row(in, b), first, last);
      const ModelOutput out = model.forward(alone);
      for (const std::string_view item : outputs_by_position) {
        const Tensor got = out.find(item);
        // with labels some heads score the labelled positions alone
        if (!got || whole.find(item).size(0) != batch_of(in)) continue;
        Tensor expected = slice(whole.find(item), 0, b, b + 1);
        if (expected.size(1) == length && got.size(1) == last - first) expected = slice(expected, 1, first, last);
        compare(run, str("row ", b, " alone: ", item), got, expected);
      }
    }
  }

  void threads(const std::string& run, const LoadOptions& options, const ModelOutput& whole) {
    for (const int count : {1, 2}) {
      const auto context = make_context(count);
      const ContextScope scope(*context);
      const NoGrad no_grad;
      const std::unique_ptr<Model> model = open_model(case_, options);
      std::vector<std::string> unknown;
      const ModelOutput out = model->forward(read_inputs(*inputs_, run, unknown));  // on this context's device
      for (const std::string_view item : outputs_by_position)
        if (out.find(item))
          compare(run, str(item, count == 1 ? " with one thread" : " with two threads"), out.find(item),
                  whole.find(item));
    }
  }

  static Tensor parameter(const Model& model, const std::string& name) {
    for (const NamedTensor& p : model.named_parameters())
      if (p.name == name) return p.tensor;
    return Tensor();
  }

  void compare(const std::string& run, const std::string& item, const Tensor& got, const Tensor& expected,
               const std::vector<bool>& kept = {}) {
    const double error = relative_error(got, expected, kept);
    report_.add(run, item, error, tolerance_, error <= tolerance_);
  }

  const Case& case_;
  Report& report_;
  std::shared_ptr<const WeightSource> inputs_, expected_;
  double tolerance_;
};

}  // namespace

ModelInputs read_inputs(const WeightSource& source, const std::string& run, std::vector<std::string>& unknown) {
  ModelInputs in;
  const std::string prefix = run + "/";
  for (const TensorEntry& entry : source.entries()) {
    if (!entry.name.starts_with(prefix)) continue;
    const std::string argument = entry.name.substr(prefix.size());
    if (Tensor* member = in.find(argument))
      *member = source.load(entry.name);
    else
      unknown.push_back(argument);
  }
  return in;
}

std::optional<std::string> cannot_open(const Case& c) {
  const Json* named = c.description.find("weights");
  const fs::path path = named && !named->is_null() ? checkpoint_path(c) : fs::path();
  const Architecture* architecture = nullptr;
  if (path.extension() == ".gguf") {  // known by the name in the file, which may stand for several model types
    const std::string stored(open_gguf(path)->metadata().get_string("general.architecture"));
    if (!find_gguf_architecture(stored)) return "no GGUF architecture " + stored;
    architecture = open_checkpoint(path).architecture;
  } else {
    const std::string& model_type = c.description.at("model_type").as_string();
    architecture = find_architecture(model_type);
    if (!architecture) return "no architecture " + model_type;
  }
  const std::string& name = c.description.at("class").as_string();
  if (std::none_of(architecture->classes.begin(), architecture->classes.end(),
                   [&](const ModelClass& m) { return m.name == name; }))
    return "no class " + name;
  const Json& weights = c.description.at("weights");
  const Json::Array files = weights.is_string() ? Json::Array{weights} : weights.as_array();
  for (const Json& file : files) {
    if (file.as_string().ends_with(".json")) continue;  // an index: its shards are looked at
    try {
      open_weights(c.folder / file.as_string());
    } catch (const Error& error) {
      if (error.code() != ErrorCode::unsupported) throw;
      return "no reader for " + fs::path(file.as_string()).extension().string() + " files";
    }
  }
  if (fs::exists(c.folder / "config.json")) {
    const Json config = Json::parse(read_text_file(c.folder / "config.json"), "config.json");
    if (const Json* layout = config.find("quantization_config"); layout && layout->find("quant_method"))
      return "no quantised layout " + layout->at("quant_method").as_string();
  }
  return std::nullopt;
}

std::unique_ptr<Model> open_model(const Case& c, LoadOptions options) {
  options.class_name = c.description.at("class").as_string();
  options.parameters.exact_activations = true;
  Checkpoint checkpoint = open_case_checkpoint(c);
  // what transformers was told to use when the cases were written, and files do not say
  if (made_by_transformers_5(c)) checkpoint.config.set("attn_implementation", Json("eager"));
  return load_model(checkpoint, options);
}

void run_forward_cases(const Case& c, Report& report) {
  if (!fs::exists(c.folder / "inputs.safetensors") || !fs::exists(c.folder / "expected.safetensors")) return;
  ForwardCases(c, report).run();
}

}  // namespace trustformers::goldens
