#include "text_batches.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "../ops/shape/shape_ops.h"

namespace trustformers {
namespace {

/// Whether padding may stand beside text. Models that score a text at its end find it by their padding token, and
/// RoBERTa's positions count what is not that token: the tokenizer's must be the same.
bool can_pad(const PipelineParts& parts) {
  const std::optional<TokenId> token = parts.tokenizer.tokenizer().special_tokens().pad;
  if (!token) return false;
  const std::optional<std::int64_t>& known = parts.model.model().common().pad_token_id;
  return known && *known == *token;
}

/// As transformers: tokenizer_config.json says it, else the family. Here the family is known by its config.
bool takes_token_types(const PipelineParts& parts) {
  const auto& names = parts.tokenizer.tokenizer().model_input_names();
  if (!names.empty()) return std::find(names.begin(), names.end(), "token_type_ids") != names.end();
  const Json* types = parts.model.model().config().find("type_vocab_size");
  return types && types->is_int() && types->as_int() > 1;
}

}  // namespace

TextInputs text_inputs(const Json& inputs, std::string_view task) {
  TextInputs out;
  if (inputs.is_string()) {
    out.texts.push_back(inputs.as_string());
    return out;
  }
  out.list = true;
  check(inputs.is_array(), ErrorCode::invalid_argument, "[", task, "] a text or a list of texts expected, got ",
        inputs.type_name());
  for (const Json& text : inputs.as_array()) {
    check(text.is_string(), ErrorCode::invalid_argument, "[", task, "] a list of texts expected, it holds ",
          text.type_name());
    out.texts.push_back(text.as_string());
  }
  return out;
}

EncodeOptions read_encode_options(CallOptions& options, const Tokenizer& tokenizer, std::string_view nested) {
  const Json none = Json::object();
  const Json* inner = nested.empty() ? nullptr : options.find(nested);
  CallOptions inside(inner && !inner->is_null() ? *inner : none, options.task());
  EncodeOptions out;
  const Json* truncation = nullptr;
  std::optional<std::int64_t> max_length;
  for (CallOptions* o : {&options, &inside}) {
    (*o)("add_special_tokens", out.add_special_tokens);
    if (o->given("truncation")) truncation = o->find("truncation");
    (*o)("max_length", max_length);
  }
  inside.finish();
  std::string strategy;
  if (truncation) {
    if (truncation->is_bool())
      strategy = truncation->as_bool() ? "longest_first" : "";
    else if (truncation->is_string() && truncation->as_string() != "do_not_truncate")
      strategy = truncation->as_string();
  }
  if (strategy.empty()) return out;
  if (max_length && *max_length < 0) options.fail_type("max_length", "at least 0");
  const std::optional<std::size_t> limit =
      max_length ? std::optional(static_cast<std::size_t>(*max_length)) : tokenizer.model_max_length();
  if (!limit) return out;  // as transformers: a model that names no limit has none
  out.truncation = Truncation{.max_length = *limit};
  if (strategy == "only_first")
    out.truncation->strategy = TruncationStrategy::only_first;
  else if (strategy == "only_second")
    out.truncation->strategy = TruncationStrategy::only_second;
  else if (strategy != "longest_first")
    options.fail_type("truncation", "true, false, \"longest_first\", \"only_first\" or \"only_second\"");
  return out;
}

std::int64_t max_length_of(const Tokenizer& tokenizer) {
  const std::optional<std::size_t> length = tokenizer.model_max_length();
  return length ? static_cast<std::int64_t>(*length) : std::numeric_limits<std::int64_t>::max() / 2;
}

std::int64_t read_batch_size(CallOptions& options) {
  std::int64_t size = 8;
  options.at_least(1, "batch_size", size);
  return size;
}

Tensor BatchRow::of(const Tensor& states) const { return slice(select(states, 0, row), 0, first, first + length); }

void run_batches(const PipelineParts& parts, std::span<const Encoding> encodings, std::int64_t batch_size,
                 const CancelToken& cancel, const OnBatch& on_batch) {
  const NoGrad quiet;
  const Padding& padding = parts.tokenizer.tokenizer().padding();
  const bool left = padding.direction == Side::left;
  const bool mixed = can_pad(parts), types = takes_token_types(parts);
  std::vector<std::size_t> order(encodings.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return encodings[a].size() > encodings[b].size(); });
  for (std::size_t begin = 0, end; begin < order.size(); begin = end) {
    cancel.check(parts.task);
    const std::size_t width = encodings[order[begin]].size();
    for (end = begin + 1; end < order.size() && end - begin < static_cast<std::size_t>(batch_size); ++end)
      if (!mixed && encodings[order[end]].size() != width) break;
    std::vector<std::int64_t> ids, mask, type_ids;
    std::vector<BatchRow> rows;
    for (std::size_t i = begin; i < end; ++i) {
      const Encoding& e = encodings[order[i]];
      check(e.size() > 0, ErrorCode::invalid_argument, "[", parts.task, "] a text has no tokens");
      const std::size_t fill = width - e.size();
      rows.push_back({order[i], static_cast<std::int64_t>(i - begin), static_cast<std::int64_t>(left ? fill : 0),
                      static_cast<std::int64_t>(e.size())});
      const auto put = [&](std::vector<std::int64_t>& to, const std::vector<std::int32_t>& from, std::int64_t filler) {
        if (left) to.insert(to.end(), fill, filler);
        to.insert(to.end(), from.begin(), from.end());
        if (!left) to.insert(to.end(), fill, filler);
      };
      put(ids, e.ids, padding.pad_id);
      put(mask, e.attention_mask, 0);
      put(type_ids, e.type_ids, padding.pad_type_id);
    }
    const Shape shape{static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(width)};
    const Tensor attention_mask = Tensor::from(mask, shape);
    ModelInputs inputs{.input_ids = Tensor::from(ids, shape), .attention_mask = attention_mask};
    if (types) inputs.token_type_ids = Tensor::from(type_ids, shape);
    on_batch(parts.model(inputs), attention_mask, rows);
  }
}

std::vector<float> softmax_of(std::span<const float> logits) {
  std::vector<float> out(logits.begin(), logits.end());
  if (out.empty()) return out;
  const float largest = *std::max_element(out.begin(), out.end());
  float total = 0;
  for (float& x : out) total += x = std::exp(x - largest);
  for (float& x : out) x /= total;
  return out;
}

float sigmoid_of(float logit) { return 1 / (1 + std::exp(-logit)); }

}  // namespace trustformers
