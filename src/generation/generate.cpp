#include "generate.h"

#include <algorithm>

#include "../tensor/op.h"
#include "decoding_batch.h"
#include "prompt.h"
#include "strategies.h"

namespace trustformers {
namespace {

std::int64_t wanted_tokens(const GenerationConfig& config, std::int64_t prompt_length) {
  if (config.max_new_tokens > 0) return config.max_new_tokens;
  return config.max_length > 0 ? config.max_length - prompt_length : 20;
}

/// The unconditional texts of guidance: the negative prompts, one for all rows or one a row, or each row's last token.
Prompt negative_prompt(const GenerationConfig& config, const Prompt& prompt) {
  Prompt out;
  out.batch = prompt.batch;
  out.context = prompt.context;
  out.sources = prompt.sources;
  const auto& given = config.negative_prompt_ids;
  const auto rows = static_cast<std::size_t>(prompt.batch);
  check(given.size() <= 1 || given.size() == rows, ErrorCode::invalid_argument, "[generate] ", given.size(),
        " negative prompts for ", prompt.batch, " rows");
  out.length = 1;
  for (const Phrase& ids : given) out.length = std::max(out.length, static_cast<std::int64_t>(ids.size()));
  bool padded = false;
  for (std::size_t b = 0; b < rows; ++b) {
    const Phrase ids = given.empty() ? Phrase{prompt.ids[(b + 1) * static_cast<std::size_t>(prompt.length) - 1]}
                                     : given[given.size() == 1 ? 0 : b];
    check(!ids.empty(), ErrorCode::invalid_argument, "[generate] a negative prompt is empty");
    const std::size_t fill = static_cast<std::size_t>(out.length) - ids.size();
    padded = padded || fill > 0;
    out.ids.insert(out.ids.end(), fill, 0);
    out.mask.insert(out.mask.end(), fill, 0);
    out.ids.insert(out.ids.end(), ids.begin(), ids.end());
    out.mask.insert(out.mask.end(), ids.size(), 1);
  }
  if (!padded) out.mask.clear();
  return out;
}

/// Rows that each prompt is continued in: `times` copies side by side.
void repeat_rows(DecodingBatch& batch, std::int64_t times) {
  std::vector<std::int64_t> rows;
  for (std::int64_t b = 0; b < batch.batch() * times; ++b) rows.push_back(b / times);
  batch.select_rows(rows);
}

GenerateOutput output_of(const DecodingBatch& batch, const GenerateStats& stats) {
  std::vector<std::int64_t> all;
  for (std::int64_t b = 0; b < batch.batch(); ++b) {
    const auto& ids = batch.ids(static_cast<std::size_t>(b));
    all.insert(all.end(), ids.begin(), ids.end());
  }
  return {Tensor::from(all, {batch.batch(), batch.length()}), Tensor(), stats};
}

bool is_speculative(const GenerationConfig& config) { return config.assistant || config.prompt_lookup_num_tokens > 0; }

GenerateOutput decode(DecodingBatch& batch, const Model& model, const DecodeRequest& request) {
  const GenerationConfig& config = request.config;
  if (config.num_beams > 1) return decode_beams(batch, request);
  if (config.num_return_sequences > 1) repeat_rows(batch, config.num_return_sequences);
  batch.reserve(batch.length() + request.limit);
  if (is_speculative(config)) return output_of(batch, decode_speculative(batch, model, request));
  if (config.penalty_alpha) return output_of(batch, decode_contrastive(batch, request));
  const GenerateStats stats = decode_tokens(batch, request);
  return output_of(batch, stats);
}

}  // namespace

GenerateOutput generate(const Model& model, const ModelInputs& inputs, const GenerationConfig& config,
                        const TokenCallback& on_tokens, const CancelToken* cancel) {
  config.validate();
  const NoGrad quiet;
  Prompt prompt = make_prompt(model, inputs, config);
  std::unique_ptr<DecodingBatch> unconditional;
  KVCache cache, unconditional_cache;
  if (config.guidance_scale != 1)
    unconditional = std::make_unique<DecodingBatch>(model, negative_prompt(config, prompt),
                                                    config.use_cache ? &unconditional_cache : nullptr);
  const std::int64_t prompt_tokens = prompt.length;
  DecodingBatch batch(model, std::move(prompt), config.use_cache ? &cache : nullptr);
  if (unconditional) batch.guide(std::move(unconditional), config.guidance_scale);
  const DecodeRequest request{config, batch.room(wanted_tokens(config, prompt_tokens)), on_tokens, cancel};
  GenerateOutput out = decode(batch, model, request);
  out.stats.prompt_tokens = prompt_tokens;
  return out;
}

std::vector<std::int64_t> Session::generate(std::span<const std::int64_t> prompt, const GenerationConfig& config,
                                            const TokenCallback& on_tokens, const CancelToken* cancel) {
  config.validate();
  check(!model_.is_encoder_decoder(), ErrorCode::unsupported, "[generate] a session needs a decoder, ",
        model_.class_name(), " is an encoder-decoder");
  check(model_.can_generate(), ErrorCode::unsupported, "[generate] ", model_.class_name(), " does not generate text");
  check(config.num_beams == 1 && config.num_return_sequences == 1 && config.guidance_scale == 1, ErrorCode::unsupported,
        "[generate] a session continues one text, without beams and guidance");
  const auto length = static_cast<std::int64_t>(prompt.size());
  // At least the last token must be fed: its scores choose the next one. Contrastive search needs every hidden state.
  const bool reuse = config.use_cache && !config.penalty_alpha;
  std::int64_t common = 0;
  const auto held = static_cast<std::int64_t>(cached_.size());
  while (reuse && common < std::min(held, length - 1) &&
         cached_[static_cast<std::size_t>(common)] == prompt[static_cast<std::size_t>(common)])
    ++common;
  truncate(common);
  const NoGrad quiet;
  Prompt rows{1, length, {prompt.begin(), prompt.end()}, {}, {}, {{prompt.begin(), prompt.end()}}};
  DecodingBatch batch(model_, std::move(rows), config.use_cache ? &cache_ : nullptr, common);
  const DecodeRequest request{config, batch.room(wanted_tokens(config, length)), on_tokens, cancel};
  const auto remember = [&] {  // what the cache holds now, also after an error in the middle
    cached_.assign(batch.ids(0).begin(), batch.ids(0).begin() + static_cast<std::ptrdiff_t>(cache_.length()));
  };
  try {
    batch.reserve(length + request.limit);
    stats_ = is_speculative(config) ? decode_speculative(batch, model_, request)
             : config.penalty_alpha ? decode_contrastive(batch, request)
                                    : decode_tokens(batch, request);
  } catch (...) {
    cache_.truncate(std::min(cache_.length(), common));
    remember();
    throw;
  }
  stats_.prompt_tokens = length;
  stats_.reused_tokens = common;
  remember();
  return {batch.ids(0).begin() + static_cast<std::ptrdiff_t>(length), batch.ids(0).end()};
}

void Session::truncate(std::int64_t length) {
  cache_.truncate(length);
  cached_.resize(static_cast<std::size_t>(length));
}

}  // namespace trustformers
