#include "generate.h"

#include <algorithm>
#include <chrono>

#include "../nn/attention.h"
#include "../tensor/op.h"
#include "logits.h"

namespace trustformers {
namespace {

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// A batch on its way: histories, masks and which rows have ended.
class Run {
 public:
  Run(const Model& model, const GenerationConfig& config, std::int64_t batch, std::int64_t prompt_length, bool padded)
      : model_(model), config_(config), chooser_(config), batch_(batch), padded_(padded) {
    config.validate();
    check(model.can_generate(), ErrorCode::unsupported, "[generate] ", model.class_name(), " does not generate text");
    check(batch > 0 && prompt_length > 0, ErrorCode::invalid_argument, "[generate] the prompt is empty");
    const std::int64_t context = model.common().max_position_embeddings;
    check(context == 0 || prompt_length <= context, ErrorCode::out_of_range, "[generate] the prompt has ",
          prompt_length, " tokens, the model's context holds ", context);
    limit_ = config.max_new_tokens > 0 ? config.max_new_tokens
             : config.max_length > 0   ? std::max<std::int64_t>(0, config.max_length - prompt_length)
                                       : 20;
    // Rotary models go on past their context, as in transformers; a table of positions cannot.
    if (context > 0 && model.common().learned_positions) limit_ = std::min(limit_, context - prompt_length + 1);
    padding_ = config.pad_token_id ? *config.pad_token_id : config.eos_token_id.empty() ? 0 : config.eos_token_id[0];
    ended_.assign(static_cast<std::size_t>(batch), false);
    next_.assign(static_cast<std::size_t>(batch), 0);
    histories_.resize(static_cast<std::size_t>(batch));
    for (auto& history : histories_) history.reserve(static_cast<std::size_t>(prompt_length + limit_));
  }

  void set_prompt(std::size_t row, std::span<const std::int64_t> ids, std::span<const std::uint8_t> mask) {
    histories_[row].assign(ids.begin(), ids.end());
    if (padded_) {
      masks_.resize(static_cast<std::size_t>(batch_));
      masks_[row].assign(mask.begin(), mask.end());
    }
  }

  std::int64_t limit() const { return limit_; }
  std::int64_t length() const { return static_cast<std::int64_t>(histories_[0].size()); }
  const std::vector<std::vector<std::int64_t>>& histories() const { return histories_; }
  std::span<const std::int64_t> last_tokens() const { return next_; }

  /// Feeds columns [from, length) and chooses the next token of every row. Returns false when all rows have ended.
  bool step(std::int64_t from, KVCache* cache, std::int64_t step_number) {
    const std::int64_t total = length();
    const std::int64_t fed = total - from;
    ModelInputs inputs;
    inputs.input_ids = Tensor::empty({batch_, fed}, DType::i64);
    for (std::int64_t b = 0; b < batch_; ++b)
      std::copy_n(histories_[static_cast<std::size_t>(b)].data() + from, fed,
                  inputs.input_ids.mutable_data<std::int64_t>() + b * fed);
    if (padded_) {
      inputs.attention_mask = Tensor::empty({batch_, total}, DType::u8);
      for (std::int64_t b = 0; b < batch_; ++b)
        std::copy_n(masks_[static_cast<std::size_t>(b)].data(), total,
                    inputs.attention_mask.mutable_data<std::uint8_t>() + b * total);
      inputs.position_ids = positions_from_mask(inputs.attention_mask, fed);
    }
    inputs.cache = cache;
    inputs.logits_to_keep = 1;
    const Tensor logits = model_.forward(inputs).logits;  // [B, 1, V], ours alone
    const std::int64_t vocabulary = logits.size(-1);
    bool open = false;
    for (std::int64_t b = 0; b < batch_; ++b) {
      const auto row = static_cast<std::size_t>(b);
      if (!ended_[row]) {
        const std::span<float> scores(logits.mutable_data<float>() + b * vocabulary,
                                      static_cast<std::size_t>(vocabulary));
        next_[row] = chooser_.choose(scores, histories_[row], row, static_cast<std::uint64_t>(step_number));
      } else {
        next_[row] = padding_;
      }
      histories_[row].push_back(next_[row]);
      // Padding after the end stays visible, as in transformers: it cannot reach other rows, and the row is over.
      if (padded_) masks_[row].push_back(1);
      if (std::find(config_.eos_token_id.begin(), config_.eos_token_id.end(), next_[row]) != config_.eos_token_id.end())
        ended_[row] = true;
      open = open || !ended_[row];
    }
    return open;
  }

 private:
  const Model& model_;
  const GenerationConfig& config_;
  TokenChooser chooser_;
  std::int64_t batch_;
  bool padded_;
  std::int64_t limit_ = 0;
  std::int64_t padding_ = 0;
  std::vector<bool> ended_;
  std::vector<std::int64_t> next_;
  std::vector<std::vector<std::int64_t>> histories_;
  std::vector<std::vector<std::uint8_t>> masks_;
};

/// Steps until the limit, the end of all rows, the callback's no, or a cancel. `fed` is how much the cache holds.
GenerateStats run_steps(Run& run, KVCache* cache, std::int64_t fed, const TokenCallback& on_tokens,
                        const CancelToken* cancel) {
  const NoGrad quiet;
  GenerateStats stats;
  stats.prompt_tokens = run.length();
  stats.reused_tokens = fed;
  if (cache) cache->reserve(run.length() + run.limit());
  const Stopwatch watch;
  for (bool open = true; open && stats.new_tokens < run.limit();) {
    if (cancel) cancel->check("generate");
    const std::int64_t before = run.length();
    open = run.step(cache ? fed : 0, cache, stats.new_tokens);
    fed = before;
    if (++stats.new_tokens == 1) stats.prefill_seconds = watch.seconds();
    if (on_tokens && !on_tokens(run.last_tokens())) break;
  }
  stats.decode_seconds = watch.seconds() - stats.prefill_seconds;
  return stats;
}

}  // namespace

GenerateOutput generate(const Model& model, const Tensor& input_ids, const Tensor& attention_mask,
                        const GenerationConfig& config, const TokenCallback& on_tokens, const CancelToken* cancel) {
  check(input_ids.rank() == 2, ErrorCode::shape_mismatch, "[generate] input_ids must be [B, L], got ",
        describe(input_ids));
  const std::int64_t batch = input_ids.size(0);
  const std::int64_t length = input_ids.size(1);
  const std::vector<std::int64_t> ids = input_ids.to_vector<std::int64_t>();
  std::vector<std::uint8_t> mask;
  if (attention_mask.defined()) {
    check(attention_mask.shape() == input_ids.shape(), ErrorCode::shape_mismatch, "[generate] attention_mask must be ",
          to_string(input_ids.shape()), ", got ", describe(attention_mask));
    mask = attention_mask.to_vector<std::uint8_t>();
  }
  const bool padded = std::find(mask.begin(), mask.end(), 0) != mask.end();
  Run run(model, config, batch, length, padded);
  for (std::int64_t b = 0; b < batch; ++b) {
    const auto at = static_cast<std::size_t>(b * length);
    const auto count = static_cast<std::size_t>(length);
    const std::span<const std::uint8_t> row_mask =
        padded ? std::span(mask).subspan(at, count) : std::span<std::uint8_t>();
    check(!padded || row_mask.back() != 0, ErrorCode::invalid_argument, "[generate] row ", b,
          " ends in padding: prompts must be padded on the left");
    run.set_prompt(static_cast<std::size_t>(b), std::span(ids).subspan(at, count), row_mask);
  }
  KVCache cache;
  GenerateOutput out;
  out.stats = run_steps(run, config.use_cache ? &cache : nullptr, 0, on_tokens, cancel);
  std::vector<std::int64_t> all;
  for (const auto& history : run.histories()) all.insert(all.end(), history.begin(), history.end());
  out.sequences = Tensor::from(all, {batch, run.length()});
  return out;
}

std::vector<std::int64_t> Session::generate(std::span<const std::int64_t> prompt, const GenerationConfig& config,
                                            const TokenCallback& on_tokens, const CancelToken* cancel) {
  const auto length = static_cast<std::int64_t>(prompt.size());
  Run run(model_, config, 1, length, false);
  run.set_prompt(0, prompt, {});
  // At least the last token must be fed: its scores choose the next one.
  std::int64_t common = 0;
  const auto held = static_cast<std::int64_t>(cached_.size());
  while (common < std::min(held, length - 1) &&
         cached_[static_cast<std::size_t>(common)] == prompt[static_cast<std::size_t>(common)])
    ++common;
  truncate(config.use_cache ? common : 0);
  const auto remember = [&] {  // what the cache holds now, also after an error in the middle
    cached_.assign(run.histories()[0].begin(),
                   run.histories()[0].begin() + static_cast<std::ptrdiff_t>(cache_.length()));
  };
  try {
    stats_ = run_steps(run, config.use_cache ? &cache_ : nullptr, config.use_cache ? common : 0, on_tokens, cancel);
  } catch (...) {
    cache_.truncate(std::min(cache_.length(), common));
    remember();
    throw;
  }
  remember();
  return {run.histories()[0].begin() + static_cast<std::ptrdiff_t>(length), run.histories()[0].end()};
}

void Session::truncate(std::int64_t length) {
  cache_.truncate(length);
  cached_.resize(static_cast<std::size_t>(length));
}

}  // namespace trustformers
