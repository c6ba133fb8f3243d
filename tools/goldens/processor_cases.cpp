#include "processor_cases.h"

#include <cmath>
#include <functional>
#include <map>

#include "../../src/generation/processor_list.h"
#include "../../src/generation/processors/length.h"
#include "../../src/generation/processors/numeric.h"
#include "../../src/generation/processors/score_math.h"
#include "../../src/generation/processors/truncation.h"
#include "../../src/generation/processors/whisper_timestamps.h"
#include "../../src/weights/open.h"
#include "compare.h"
#include "guarded.h"

namespace trustformers::goldens {
namespace {

constexpr double score_tolerance = 1e-5;

/// A case's settings by the names of transformers' constructors.
struct Settings {
  const Json& json;
  double number(std::string_view key) const { return json.at(key).as_double(); }
  std::int64_t integer(std::string_view key) const { return json.at(key).as_int(); }
  std::size_t size(std::string_view key) const { return static_cast<std::size_t>(integer(key)); }
  Ids ids(std::string_view key) const {
    const Json& value = json.at(key);
    if (!value.is_array()) return {value.as_int()};
    Ids out;
    for (const Json& id : value.as_array()) out.push_back(id.as_int());
    return out;
  }
  KeepRule keep() const {
    KeepRule rule;
    if (const Json* least = json.find("min_tokens_to_keep")) rule.at_least = least->as_int();
    if (const Json* filler = json.find("filter_value")) rule.removed = static_cast<float>(filler->as_double());
    return rule;
  }
  /// A processor that generation_config.json can name.
  std::shared_ptr<LogitsProcessor> configured(std::string_view key, const Json& value) const {
    GenerationConfig config;
    Json::Object object{{std::string(key), value}};
    if (const Json* eos = json.find("eos_token_id")) object.emplace_back("eos_token_id", *eos);
    config.update(Json(std::move(object)), "case.json");
    return make_logits_processors(config, 0, 0).at(0);
  }
};

using Make = std::function<std::shared_ptr<LogitsProcessor>(const Settings&)>;

template <class P, class... Args>
std::shared_ptr<LogitsProcessor> make(Args&&... args) {
  return std::make_shared<P>(std::forward<Args>(args)...);
}

std::shared_ptr<LogitsProcessor> make_prefix(const Settings& s) {
  std::vector<Ids> allowed;
  for (const Json& list : s.json.at("allowed").as_array()) {
    allowed.emplace_back();
    for (const Json& id : list.as_array()) allowed.back().push_back(id.as_int());
  }
  return make<PrefixConstraint>(
      [allowed](std::size_t prompt, std::span<const std::int64_t>) { return allowed[prompt]; });
}

const std::map<std::string_view, Make>& makers() {
  static const auto* const list = new std::map<std::string_view, Make>{
      {"TemperatureLogitsWarper", [](const auto& s) { return make<Temperature>(s.number("temperature")); }},
      {"TopKLogitsWarper", [](const auto& s) { return make<TopK>(s.integer("top_k"), s.keep()); }},
      {"TopPLogitsWarper", [](const auto& s) { return make<TopP>(s.number("top_p"), s.keep()); }},
      {"MinPLogitsWarper", [](const auto& s) { return make<MinP>(s.number("min_p"), s.keep()); }},
      {"TopHLogitsWarper", [](const auto& s) { return make<TopH>(s.number("top_h")); }},
      {"TypicalLogitsWarper", [](const auto& s) { return make<TypicalP>(s.number("mass"), s.keep()); }},
      {"EpsilonLogitsWarper", [](const auto& s) { return make<EpsilonCutoff>(s.number("epsilon"), s.keep()); }},
      {"EtaLogitsWarper", [](const auto& s) { return make<EtaCutoff>(s.number("epsilon"), s.keep()); }},
      {"RepetitionPenaltyLogitsProcessor",
       [](const auto& s) {
         return make<RepetitionPenalty>(s.number("penalty"),
                                        s.json.find("prompt_ignore_length") ? s.size("prompt_ignore_length") : 0);
       }},
      {"EncoderRepetitionPenaltyLogitsProcessor",
       [](const auto& s) { return make<SourceRepetitionPenalty>(s.number("penalty")); }},
      {"NoRepeatNGramLogitsProcessor", [](const auto& s) { return make<NoRepeatNgram>(s.integer("ngram_size")); }},
      {"EncoderNoRepeatNGramLogitsProcessor",
       [](const auto& s) { return make<NoSourceNgram>(s.integer("encoder_ngram_size")); }},
      {"NoBadWordsLogitsProcessor",
       [](const auto& s) { return s.configured("bad_words_ids", s.json.at("bad_words_ids")); }},
      {"SequenceBiasLogitsProcessor",
       [](const auto& s) { return s.configured("sequence_bias", s.json.at("sequence_bias")); }},
      {"PrefixConstrainedLogitsProcessor", make_prefix},
      {"ForcedBOSTokenLogitsProcessor", [](const auto& s) { return make<ForceTokens>(s.ids("bos_token_id"), 1); }},
      {"ForcedEOSTokenLogitsProcessor",
       [](const auto& s) { return make<ForceTokens>(s.ids("eos_token_id"), s.size("max_length") - 1); }},
      {"MinLengthLogitsProcessor",
       [](const auto& s) { return make<MinLength>(s.size("min_length"), s.ids("eos_token_id")); }},
      {"MinNewTokensLengthLogitsProcessor",
       [](const auto& s) {
         return make<MinLength>(s.size("prompt_length_to_skip") + s.size("min_new_tokens"), s.ids("eos_token_id"));
       }},
      {"SuppressTokensLogitsProcessor", [](const auto& s) { return make<SuppressTokens>(s.ids("suppress_tokens")); }},
      {"SuppressTokensAtBeginLogitsProcessor",
       [](const auto& s) { return make<SuppressTokens>(s.ids("begin_suppress_tokens"), s.size("begin_index")); }},
      {"InfNanRemoveLogitsProcessor", [](const auto&) { return make<RemoveInvalid>(); }},
      {"LogitNormalization", [](const auto&) { return make<Renormalize>(); }},
      {"ExponentialDecayLengthPenalty",
       [](const auto& s) {
         const Json::Array& pair = s.json.at("exponential_decay_length_penalty").as_array();
         return make<LengthDecay>(s.size("input_ids_seq_length") + static_cast<std::size_t>(pair[0].as_int()),
                                  pair[1].as_double(), s.ids("eos_token_id"));
       }},
      {"WhisperTimeStampLogitsProcessor",
       [](const auto& s) {
         const Json& initial = s.json.at("max_initial_timestamp_index");
         return make<WhisperTimestamps>(s.integer("no_timestamps_token_id"), s.integer("eos_token_id"),
                                        s.size("begin_index"),
                                        initial.is_null() ? std::nullopt : std::optional(initial.as_int()));
       }},
      {"WatermarkLogitsProcessor",
       [](const auto& s) {
         Json settings = s.json;
         Json::Object& members = settings.as_object();
         std::erase_if(members, [](const auto& member) { return member.first == "vocab_size"; });
         return s.configured("watermarking_config", settings);
       }},
      {"SynthIDTextWatermarkLogitsProcessor",
       [](const auto& s) { return s.configured("watermarking_config", s.json); }}};
  return *list;
}

/// Two rows of a case: ids [2, L], scores [2, V], perhaps encoder_input_ids [2, T].
struct Rows {
  std::vector<float> scores;
  Ids ids, source;
  std::size_t batch = 0, width = 0, length = 0;
};

Rows read_rows(const WeightSource& inputs, const std::string& prefix) {
  Rows rows;
  const Tensor ids = inputs.load(prefix + "input_ids"), scores = inputs.load(prefix + "scores");
  rows.ids = ids.to_vector<std::int64_t>();
  rows.scores = scores.to_vector<float>();
  rows.batch = static_cast<std::size_t>(ids.size(0));
  rows.length = static_cast<std::size_t>(ids.size(1));
  rows.width = static_cast<std::size_t>(scores.size(-1));
  if (inputs.find(prefix + "encoder_input_ids"))
    rows.source = inputs.load(prefix + "encoder_input_ids").to_vector<std::int64_t>();
  return rows;
}

RowState state_of(std::span<const std::int64_t> ids, std::size_t row, const Settings& s) {
  RowState state;
  state.ids = ids;
  state.prompt_length = ids.size();
  state.row = row;
  state.prompt = s.json.find("num_beams") ? row / s.size("num_beams") : row;
  return state;
}

void run_guidance(const Settings& s, Rows& rows) {
  const std::size_t half = rows.scores.size() / 2;
  apply_guidance(std::span(rows.scores).first(half), std::span(rows.scores).subspan(half), s.number("guidance_scale"));
  rows.scores.resize(half);
}

/// Scores [S, B, V]: call s sees the first s columns of next_ids too.
void run_steps(LogitsProcessor& processor, const Settings& s, const Tensor& next, Rows& rows) {
  const std::size_t steps = rows.scores.size() / (rows.batch * rows.width);
  const Ids more = next.to_vector<std::int64_t>();
  for (std::size_t b = 0; b < rows.batch; ++b) {
    Ids text(rows.ids.begin() + static_cast<std::ptrdiff_t>(b * rows.length),
             rows.ids.begin() + static_cast<std::ptrdiff_t>((b + 1) * rows.length));
    for (std::size_t step = 0; step < steps; ++step) {
      RowState state = state_of(text, b, s);
      state.prompt_length = rows.length;
      processor.process(state, std::span(rows.scores).subspan((step * rows.batch + b) * rows.width, rows.width));
      if (step + 1 < steps) text.push_back(more[b * (steps - 1) + step]);
    }
  }
}

void run_processor(const Json& entry, const WeightSource& inputs, const WeightSource& expected, Report& report) {
  const std::string index = std::to_string(entry.at("index").as_int());
  const std::string name = index + " " + entry.at("class").as_string();
  guarded(report, name, [&] {
    const Settings s{entry.at("settings")};
    Rows rows = read_rows(inputs, index + "/");
    if (entry.at("class").as_string() == "ClassifierFreeGuidanceLogitsProcessor") {
      run_guidance(s, rows);
    } else {
      const auto maker = makers().find(entry.at("class").as_string());
      if (maker == makers().end()) return report.skip(name + ": no such processor");
      const auto processor = maker->second(s);
      if (inputs.find(index + "/next_ids")) {
        run_steps(*processor, s, inputs.load(index + "/next_ids"), rows);
      } else {
        const std::span<const std::int64_t> ids = rows.ids, source = rows.source;
        for (std::size_t b = 0; b < rows.batch; ++b) {
          RowState state = state_of(ids.subspan(b * rows.length, rows.length), b, s);
          state.source = source.subspan(b * (source.size() / rows.batch), source.size() / rows.batch);
          processor->process(state, std::span(rows.scores).subspan(b * rows.width, rows.width));
        }
      }
    }
    const Tensor want = expected.load(index + "/scores");
    const double error = relative_error(Tensor::from(rows.scores, want.shape()), want);
    report.add(name, "scores", error, score_tolerance, error <= score_tolerance);
  });
}

void run_sampler(const Json& entry, const WeightSource& inputs, const WeightSource& expected, Report& report) {
  const std::string index = std::to_string(entry.at("index").as_int());
  guarded(report, index, [&] {
    GenerationConfig config;
    config.update(entry.at("settings"), "case.json");
    std::vector<float> scores = inputs.load(index + "/logits").to_vector<float>();
    process_scores(make_logits_processors(config, 1, 0), RowState(), scores);
    const SoftmaxSums sums = softmax_sums(scores);
    for (float& s : scores) s = sums.probability(s);
    const Tensor want = expected.load(index + "/probabilities");
    const double error = relative_error(Tensor::from(scores, want.shape()), want);
    report.add(index, "probabilities", error, score_tolerance, error <= score_tolerance);
  });
}

}  // namespace

bool is_processor_case(const Case& c) {
  const Json* task = c.description.is_object() ? c.description.find("task") : nullptr;
  return task && task->is_string() &&
         (task->as_string() == "logits-processors" || task->as_string() == "sampling-distribution");
}

void run_processor_case(const Case& c, Report& report) {
  const auto inputs = open_weights(c.folder / "inputs.safetensors");
  const auto expected = open_weights(c.folder / "expected.safetensors");
  const bool laws = c.description.at("task").as_string() == "sampling-distribution";
  for (const Json& entry : c.description.at("cases").as_array())
    laws ? run_sampler(entry, *inputs, *expected, report) : run_processor(entry, *inputs, *expected, report);
}

}  // namespace trustformers::goldens
