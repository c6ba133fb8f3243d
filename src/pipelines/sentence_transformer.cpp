#include "sentence_transformer.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "../base/file.h"
#include "../hub/cache.h"
#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"
#include "../ops/matmul/matmul.h"
#include "../ops/reduce/reduce.h"
#include "../ops/shape/shape_ops.h"

namespace trustformers {
namespace {

Json read_json(const std::filesystem::path& path) {
  return Json::parse(read_text_file(path, std::uint64_t{1} << 24), path.string());
}

bool flag(const Json& json, std::string_view key) {
  const Json* found = json.find(key);
  return found && found->is_bool() && found->as_bool();
}

Tensor l2_normalized(const Tensor& x) { return x / maximum(sqrt(sum(x * x, {-1}, true)), Tensor::scalar(1e-12)); }

}  // namespace

SentenceTransformer SentenceTransformer::from_pretrained(std::string_view model, const LoadOptions& options) {
  const std::filesystem::path path = hub::resolve_model(model);
  SentenceTransformer out(AutoTokenizer::from_pretrained(model), AutoModel::from_pretrained(model, options));
  const std::int64_t context = out.model_.model().common().max_position_embeddings;
  if (context > 0) out.max_length_ = static_cast<std::size_t>(context);
  const std::filesystem::path folder = std::filesystem::is_directory(path) ? path : path.parent_path();
  if (std::filesystem::exists(folder / "sentence_bert_config.json")) {
    const Json config = read_json(folder / "sentence_bert_config.json");
    if (const Json* length = config.find("max_seq_length"); length && !length->is_null())
      out.max_length_ = static_cast<std::size_t>(std::max<std::int64_t>(1, length->as_int("max_seq_length")));
  }
  if (!std::filesystem::exists(folder / "modules.json")) return out;
  const Json modules = read_json(folder / "modules.json");
  for (const Json& module : modules.as_array("modules.json")) {
    const std::string type = module.at("type", "modules.json").as_string("modules.json: \"type\"");
    const std::string kind = type.substr(type.rfind('.') + 1);
    if (kind == "Pooling") {
      const Json config = read_json(folder / module.at("path", "modules.json").as_string("path") / "config.json");
      const bool mean = flag(config, "pooling_mode_mean_tokens");
      const bool cls = flag(config, "pooling_mode_cls_token");
      const bool max = flag(config, "pooling_mode_max_tokens");
      check(mean + cls + max == 1, ErrorCode::unsupported, "[sentence_transformer] ", folder.string(),
            ": only one of mean, cls and max pooling is supported");
      out.pooling_ = mean ? Pooling::mean : cls ? Pooling::cls : Pooling::max;
    } else if (kind == "Normalize") {
      out.normalize_ = true;
    } else {
      check(kind == "Transformer", ErrorCode::unsupported, "[sentence_transformer] ", folder.string(), ": the module ",
            type, " is not supported");
    }
  }
  return out;
}

Tensor SentenceTransformer::pool(const Tensor& hidden, const Tensor& attention_mask) const {
  if (pooling_ == Pooling::cls) return contiguous(select(hidden, 1, 0));
  const Tensor mask = unsqueeze(attention_mask, 2);
  if (pooling_ == Pooling::max) {
    const Tensor lowest = Tensor::scalar(std::numeric_limits<float>::lowest());
    return max(where(cast(mask, DType::boolean), hidden, lowest), {1});
  }
  const Tensor weights = cast(mask, DType::f32);
  return sum(hidden * weights, {1}) / maximum(sum(weights, {1}), Tensor::scalar(1e-9));
}

Tensor SentenceTransformer::encode(std::span<const std::string> texts, std::int64_t batch_size) const {
  check(batch_size >= 1, ErrorCode::invalid_argument, "[encode] batch_size must be at least 1, got ", batch_size);
  const NoGrad quiet;
  // Neighbours of about one length waste little on padding.
  std::vector<std::size_t> order(texts.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return texts[a].size() > texts[b].size(); });
  const std::int64_t width = dimension();
  std::vector<float> rows(texts.size() * static_cast<std::size_t>(width));
  for (std::size_t begin = 0; begin < order.size(); begin += static_cast<std::size_t>(batch_size)) {
    const std::size_t end = std::min(order.size(), begin + static_cast<std::size_t>(batch_size));
    std::vector<std::string> batch;
    for (std::size_t i = begin; i < end; ++i) batch.push_back(texts[order[i]]);
    const BatchEncoding encoded = tokenizer_(batch, {.max_length = max_length_});
    const ModelOutput output = model_({.input_ids = encoded.input_ids,
                                       .attention_mask = encoded.attention_mask,
                                       .token_type_ids = encoded.token_type_ids});
    Tensor vectors = pool(output.last_hidden_state, encoded.attention_mask);
    if (normalize_) vectors = l2_normalized(vectors);
    const std::vector<float> values = vectors.to_vector<float>();
    for (std::size_t i = begin; i < end; ++i)
      std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(i - begin) * width, width,
                  rows.begin() + static_cast<std::ptrdiff_t>(order[i]) * width);
  }
  return Tensor::from(rows, {static_cast<std::int64_t>(texts.size()), width});
}

Tensor SentenceTransformer::similarity(const Tensor& a, const Tensor& b) {
  return matmul(l2_normalized(a), transpose(l2_normalized(b), 0, 1));
}

}  // namespace trustformers
