#include "generate.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "../nn/attention.h"
#include "../ops/elementwise/unary.h"
#include "../ops/shape/shape_ops.h"
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
  /// `extra` is what every forward pass gets beside the tokens.
  Run(const Model& model, const GenerationConfig& config, ModelInputs extra, std::int64_t batch,
      std::int64_t prompt_length, bool padded)
      : model_(model), config_(config), context_(std::move(extra)), chooser_(config), batch_(batch), padded_(padded) {
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
    const bool decoder = model_.is_encoder_decoder();
    ModelInputs inputs = context_;
    Tensor& ids = decoder ? inputs.decoder_input_ids : inputs.input_ids;
    ids = Tensor::empty({batch_, fed}, DType::i64);
    for (std::int64_t b = 0; b < batch_; ++b)
      std::copy_n(histories_[static_cast<std::size_t>(b)].data() + from, fed,
                  ids.mutable_data<std::int64_t>() + b * fed);
    if (padded_) {
      Tensor& mask = decoder ? inputs.decoder_attention_mask : inputs.attention_mask;
      mask = Tensor::empty({batch_, total}, DType::u8);
      for (std::int64_t b = 0; b < batch_; ++b)
        std::copy_n(masks_[static_cast<std::size_t>(b)].data(), total, mask.mutable_data<std::uint8_t>() + b * total);
      // As transformers has it, the decoder of an encoder-decoder counts its padding.
      if (!decoder) inputs.position_ids = positions_from_mask(mask, fed);
    } else if (!decoder) {
      // From 0, as transformers counts here even for models that begin elsewhere when left alone (RoBERTa).
      inputs.position_ids = consecutive_positions(from, fed);
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
        next_[row] = chooser_.choose(scores, histories_[row], row, static_cast<std::uint64_t>(step_number),
                                     step_number + 1 == limit_);
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
  ModelInputs context_;
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

/// What is continued, and what goes along.
struct Prompt {
  Tensor ids, mask;  // [B, L]; the mask may be undefined
  ModelInputs context;
};

Prompt decoder_prompt(const ModelInputs& inputs) {
  for (const Tensor* t : {&inputs.inputs_embeds, &inputs.token_type_ids})
    check(!t->defined(), ErrorCode::unsupported,
          "[generate] inputs_embeds and token_type_ids cannot be continued, only input_ids");
  Prompt out{inputs.input_ids, inputs.attention_mask, inputs};
  out.context.input_ids = out.context.attention_mask = out.context.position_ids = Tensor();
  return out;
}

/// One start token for each row [B, 1].
Tensor start_tokens(const Model& model, const GenerationConfig& config, std::int64_t batch) {
  std::vector<std::int64_t> start = config.decoder_start_token_id;
  const CommonConfig& common = model.common();
  for (const auto& fallback : {common.decoder_start_token_id, config.bos_token_id, common.bos_token_id})
    if (start.empty() && fallback) start = {*fallback};
  check(!start.empty(), ErrorCode::invalid_argument, "[generate] ", model.class_name(),
        " needs decoder_start_token_id");
  if (start.size() == 1) start.resize(static_cast<std::size_t>(batch), start[0]);
  check(static_cast<std::int64_t>(start.size()) == batch, ErrorCode::invalid_argument, "[generate] ", start.size(),
        " start tokens for ", batch, " rows");
  return Tensor::from(start, {batch, 1});
}

Prompt encoder_decoder_prompt(const Model& model, const ModelInputs& inputs, const GenerationConfig& config) {
  Prompt out{inputs.decoder_input_ids, inputs.decoder_attention_mask, {}};
  const NoGrad quiet;
  out.context.encoder_hidden_states = inputs.encoder_hidden_states.defined()
                                          ? inputs.encoder_hidden_states
                                          : model.encode(inputs).encoder_last_hidden_state;
  out.context.attention_mask = inputs.attention_mask;
  const std::int64_t batch = out.context.encoder_hidden_states.size(0);
  const Tensor start = start_tokens(model, config, batch);
  if (!out.ids.defined()) {
    out.ids = start;
    return out;
  }
  check(out.ids.rank() == 2 && out.ids.size(0) == batch && out.ids.size(1) > 0, ErrorCode::shape_mismatch,
        "[generate] decoder_input_ids must be [", batch, ", L], got ", describe(out.ids));
  const auto first = select(out.ids, 1, 0).to_vector<std::int64_t>(), wanted = start.to_vector<std::int64_t>();
  bool begun = false;
  for (std::size_t b = 0; b < first.size(); ++b) begun = begun || first[b] == wanted[b];
  if (!begun) {
    out.ids = concat(std::array{start, cast(out.ids, DType::i64)}, 1);
    if (out.mask.defined()) out.mask = concat(std::array{Tensor::ones({batch, 1}, out.mask.dtype()), out.mask}, 1);
  }
  return out;
}

}  // namespace

GenerateOutput generate(const Model& model, const ModelInputs& inputs, const GenerationConfig& config,
                        const TokenCallback& on_tokens, const CancelToken* cancel) {
  check(model.can_generate(), ErrorCode::unsupported, "[generate] ", model.class_name(), " does not generate text");
  Prompt prompt = model.is_encoder_decoder() ? encoder_decoder_prompt(model, inputs, config) : decoder_prompt(inputs);
  check(prompt.ids.defined() && prompt.ids.rank() == 2, ErrorCode::shape_mismatch,
        "[generate] input_ids must be [B, L], got ", prompt.ids.defined() ? str(describe(prompt.ids)) : "nothing");
  const std::int64_t batch = prompt.ids.size(0);
  const std::int64_t length = prompt.ids.size(1);
  const std::vector<std::int64_t> ids = prompt.ids.to_vector<std::int64_t>();
  std::vector<std::uint8_t> mask;
  if (prompt.mask.defined()) {
    check(prompt.mask.shape() == prompt.ids.shape(), ErrorCode::shape_mismatch, "[generate] attention_mask must be ",
          to_string(prompt.ids.shape()), ", got ", describe(prompt.mask));
    mask = prompt.mask.to_vector<std::uint8_t>();
  }
  const bool padded = std::find(mask.begin(), mask.end(), 0) != mask.end();
  Run run(model, config, std::move(prompt.context), batch, length, padded);
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
  check(!model_.is_encoder_decoder(), ErrorCode::unsupported, "[generate] a session needs a decoder, ",
        model_.class_name(), " is an encoder-decoder");
  Run run(model_, config, {}, 1, length, false);
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
