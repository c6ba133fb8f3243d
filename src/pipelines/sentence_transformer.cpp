#include "sentence_transformer.h"

#include <algorithm>
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
    const auto module_folder = [&] { return folder / module.at("path", "modules.json").as_string("path"); };
    if (kind == "Pooling") {
      check(out.modules_.empty(), ErrorCode::unsupported, "[sentence_transformer] ", folder.string(),
            ": pooling after other modules is not supported");
      const std::filesystem::path config = module_folder() / "config.json";
      out.pooling_ = SentencePooling::parse(read_json(config), config.string());
    } else if (kind == "Dense") {
      auto dense = std::make_shared<const SentenceDense>(SentenceDense::open(module_folder()));
      check(dense->inputs() == out.dimension(), ErrorCode::shape_mismatch, "[sentence_transformer] ", folder.string(),
            ": a dense layer of ", dense->inputs(), " inputs follows vectors of ", out.dimension());
      out.dense_outputs_ = dense->outputs();
      out.modules_.push_back([dense](const Tensor& x) { return (*dense)(x); });
    } else if (kind == "Normalize") {
      out.modules_.push_back(l2_normalized);
    } else {
      check(kind == "Transformer", ErrorCode::unsupported, "[sentence_transformer] ", folder.string(), ": the module ",
            type, " is not supported");
    }
  }
  return out;
}

std::int64_t SentenceTransformer::dimension() const {
  if (dense_outputs_ > 0) return dense_outputs_;
  return model_.model().common().hidden_size * static_cast<std::int64_t>(pooling_.modes().size());
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
    Tensor vectors = pooling_(output.last_hidden_state, encoded.attention_mask);
    for (const auto& module : modules_) vectors = module(vectors);
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
