#include "generation_call.h"

#include <algorithm>
#include <numeric>

#include "../generation/text_rules.h"

namespace trustformers {
namespace {

bool says(const Json& settings, std::string_view name) {
  const Json* value = settings.find(name);
  return value && !value->is_null();
}

Tensor prompt_tensor(const std::vector<std::int64_t>& values, std::size_t rows) {
  return Tensor::from(values, {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(values.size() / rows)});
}

/// Ids and mask of some prompts: padded on the left for a decoder, on the right for an encoder.
ModelInputs prompt_inputs(const PipelineParts& parts, const std::vector<GenerationPrompt>& prompts,
                          std::span<const std::size_t> rows) {
  std::size_t width = 0;
  for (const std::size_t r : rows) width = std::max(width, prompts[r].ids.size());
  const bool left = !parts.model.model().is_encoder_decoder();
  const std::int64_t filler = parts.tokenizer.tokenizer().padding().pad_id;
  std::vector<std::int64_t> ids, mask;
  for (const std::size_t r : rows) {
    const auto& own = prompts[r].ids;
    const std::size_t fill = width - own.size();
    ids.insert(ids.end(), left ? fill : 0, filler);
    mask.insert(mask.end(), left ? fill : 0, 0);
    ids.insert(ids.end(), own.begin(), own.end());
    mask.insert(mask.end(), own.size(), 1);
    ids.insert(ids.end(), left ? 0 : fill, filler);
    mask.insert(mask.end(), left ? 0 : fill, 0);
  }
  return {.input_ids = prompt_tensor(ids, rows.size()), .attention_mask = prompt_tensor(mask, rows.size())};
}

/// Cuts the sequences of one prompt behind the last one's end token: what is longer served other prompts.
void cut_padding(std::vector<std::vector<std::int64_t>>& group, std::size_t begin, const GenerationConfig& config) {
  std::size_t longest = 0;
  for (const auto& ids : group) {
    std::size_t end = ids.size();
    for (std::size_t i = begin; i < ids.size() && end == ids.size(); ++i)
      if (std::find(config.eos_token_id.begin(), config.eos_token_id.end(), ids[i]) != config.eos_token_id.end())
        end = i + 1;
    longest = std::max(longest, end);
  }
  for (auto& ids : group) ids.resize(std::min(ids.size(), longest));
}

std::vector<std::vector<std::int64_t>> run_with_stops(const PipelineParts& parts, const GenerationPrompt& prompt,
                                                      GenerationConfig config, const CancelToken& cancel) {
  const std::int64_t sequences = std::exchange(config.num_return_sequences, 1);
  std::vector<std::vector<std::int64_t>> group;
  std::size_t longest = 0;
  for (std::int64_t i = 0; i < sequences; ++i, ++config.seed) {  // a row of a batch draws with a seed of its own
    TextStream stream = stream_one(parts, prompt, config, /*skip_special_tokens=*/false, cancel);
    while (stream.next()) {
    }
    std::vector<std::int64_t> ids = prompt.start;
    ids.insert(ids.end(), stream.tokens().begin(), stream.tokens().end());
    longest = std::max(longest, ids.size());
    group.push_back(std::move(ids));
  }
  const std::int64_t pad = config.pad_token_id           ? *config.pad_token_id
                           : config.eos_token_id.empty() ? 0
                                                         : config.eos_token_id[0];
  for (auto& ids : group) ids.resize(longest, pad);
  return group;
}

}  // namespace

Json read_generation_settings(CallOptions& options) {
  std::vector<std::string> stops;
  options("stop_sequence", stops);
  const Json* config = options.find("generation_config");
  Json settings = merged_options(config && !config->is_null() ? *config : Json::object(), options.rest());
  if (options.given("max_length")) settings.set("max_length", *options.find("max_length"));
  if (!stops.empty()) settings.set("stop_strings", Json(Json::Array(stops.begin(), stops.end())));
  return settings;
}

GenerationConfig call_config(const PipelineParts& parts, const Json& defaults, const Json& call) {
  Json settings = Json::object();
  const Json& own = parts.model.generation_settings();
  const auto set = [&](std::string_view name) { return says(call, name) || says(own, name); };
  for (const auto& [name, value] : defaults.as_object())
    if (!set(name) && !(name == "max_new_tokens" && set("max_length"))) settings.set(name, value);
  GenerationConfig config = parts.model.generation_config();
  config.update(merged_options(settings, call), parts.task);
  if (!config.pad_token_id) config.pad_token_id = parts.tokenizer.tokenizer().special_tokens().pad;
  return config;
}

std::vector<std::vector<std::vector<std::int64_t>>> generate_all(const PipelineParts& parts,
                                                                 const std::vector<GenerationPrompt>& prompts,
                                                                 const GenerationConfig& config,
                                                                 std::int64_t batch_size, const CancelToken& cancel) {
  std::vector<std::vector<std::vector<std::int64_t>>> out(prompts.size());
  const bool decoder = !parts.model.model().is_encoder_decoder();
  const bool limits_count_the_prompt = decoder && (config.max_new_tokens == 0 || config.min_length > 0);
  std::vector<std::size_t> order(prompts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return prompts[a].ids.size() > prompts[b].ids.size(); });
  if (!config.stop_strings.empty() && config.num_beams == 1) {
    for (const std::size_t i : order) out[i] = run_with_stops(parts, prompts[i], config, cancel);
    return out;
  }
  GenerationConfig own = config;
  if (!config.stop_strings.empty()) {  // beams: which of them end may depend on no neighbour's padding
    apply_stop_strings(own, parts.tokenizer.tokenizer());
    batch_size = 1;
  }
  // Rows of a batch draw with seeds that depend on their place: a prompt must not depend on its neighbours.
  if (config.do_sample) batch_size = 1;
  for (std::size_t begin = 0, end; begin < order.size(); begin = end) {
    const std::size_t width = prompts[order[begin]].ids.size();
    for (end = begin + 1; end < order.size() && end - begin < static_cast<std::size_t>(batch_size); ++end)
      if (limits_count_the_prompt && prompts[order[end]].ids.size() != width) break;
    const std::span<const std::size_t> rows(order.data() + begin, end - begin);
    const ModelInputs inputs = prompt_inputs(parts, prompts, rows);
    const GenerateOutput result = generate(parts.model.model(), inputs, own, {}, &cancel);
    const auto ids = result.sequences.to_vector<std::int64_t>();
    const auto length = static_cast<std::size_t>(result.sequences.size(1));
    const auto each = static_cast<std::size_t>(result.sequences.size(0)) / rows.size();
    for (std::size_t r = 0; r < rows.size(); ++r) {
      auto& group = out[rows[r]];
      for (std::size_t s = 0; s < each; ++s) {
        const auto row = ids.begin() + static_cast<std::ptrdiff_t>((r * each + s) * length);
        std::vector<std::int64_t> sequence = prompts[rows[r]].start;
        sequence.insert(sequence.end(), row + static_cast<std::ptrdiff_t>(decoder ? width : 0),
                        row + static_cast<std::ptrdiff_t>(length));
        group.push_back(std::move(sequence));
      }
      if (own.stopping.empty()) cut_padding(group, decoder ? prompts[rows[r]].start.size() : 1, config);
    }
  }
  return out;
}

TextStream stream_one(const PipelineParts& parts, const GenerationPrompt& prompt, GenerationConfig config,
                      bool skip_special_tokens, const CancelToken& cancel, SequenceRecord record,
                      std::shared_ptr<Session> session) {
  const std::size_t row[] = {0};
  TextStream::Setup setup{.tokenizer = parts.tokenizer,
                          .model = parts.model,
                          .inputs = prompt_inputs(parts, {prompt}, row),
                          .config = std::move(config),
                          .start = prompt.start,
                          .skip_special_tokens = skip_special_tokens,
                          .cancel = cancel,
                          .record = std::move(record),
                          .session = std::move(session)};
  std::string text;
  if (!parts.model.model().is_encoder_decoder()) text = parts.tokenizer.decode(prompt.ids, false);
  setup.prompt = text;
  return TextStream(std::move(setup));
}

}  // namespace trustformers
