#include "generate.h"

#include <algorithm>

#include "../tensor/op.h"
#include "decoding_batch.h"
#include "prompt.h"
#include "strategies.h"

namespace trustformers {
namespace {

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

std::int64_t Session::reuse(std::span<const std::int64_t> prompt, const GenerationConfig& config) {
  config.validate();
  check(!model_.is_encoder_decoder(), ErrorCode::unsupported, "[generate] a session needs a decoder, ",
        model_.class_name(), " is an encoder-decoder");
  check(model_.can_generate(), ErrorCode::unsupported, "[generate] ", model_.class_name(), " does not generate text");
  check(config.num_beams == 1 && config.num_return_sequences == 1 && config.guidance_scale == 1, ErrorCode::unsupported,
        "[generate] a session continues one text, without beams and guidance");
  // At least the last token must be fed: its scores choose the next one. Contrastive search needs every hidden state.
  const bool allowed = config.use_cache && !config.penalty_alpha;
  std::size_t common = 0;
  while (allowed && common < cached_.size() && common + 1 < prompt.size() && cached_[common] == prompt[common])
    ++common;
  truncate(static_cast<std::int64_t>(common));
  return static_cast<std::int64_t>(common);
}

void Session::remember(const std::vector<std::int64_t>& ids) {
  cached_.assign(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(cache_.length()));
}

std::vector<std::int64_t> Session::generate(std::span<const std::int64_t> prompt, const GenerationConfig& config,
                                            const TokenCallback& on_tokens, const CancelToken* cancel) {
  const auto length = static_cast<std::int64_t>(prompt.size());
  const std::int64_t common = reuse(prompt, config);
  const NoGrad quiet;
  DecodingBatch batch(model_, one_prompt(prompt), config.use_cache ? &cache_ : nullptr, common);
  const DecodeRequest request{config, batch.room(wanted_tokens(config, length)), on_tokens, cancel};
  try {
    batch.reserve(length + request.limit);
    stats_ = is_speculative(config) ? decode_speculative(batch, model_, request)
             : config.penalty_alpha ? decode_contrastive(batch, request)
                                    : decode_tokens(batch, request);
  } catch (...) {
    cache_.truncate(std::min(cache_.length(), common));
    remember(batch.ids(0));
    throw;
  }
  stats_.prompt_tokens = length;
  stats_.reused_tokens = common;
  remember(batch.ids(0));
  return {batch.ids(0).begin() + static_cast<std::ptrdiff_t>(length), batch.ids(0).end()};
}

void Session::truncate(std::int64_t length) {
  cache_.truncate(length);
  cached_.resize(static_cast<std::size_t>(length));
}

}  // namespace trustformers
