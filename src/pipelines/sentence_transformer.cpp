#include "sentence_transformer.h"

#include <algorithm>
#include <numeric>

#include "../base/file_set.h"
#include "../hub/cache.h"
#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"
#include "../ops/matmul/matmul.h"
#include "../ops/reduce/reduce.h"
#include "../ops/shape/shape_ops.h"

namespace trustformers {
namespace {

Json read_sentence_json(const FileSet& files, const std::string& name) {
  const std::optional<std::string> text = files.read(name);
  check(text.has_value(), ErrorCode::not_found, "[sentence_transformer] ", files.describe(), " has no ", name);
  return Json::parse(*text, name);
}

/// The encoder lies where the first module says: at the top, or in a folder of its own.
std::filesystem::path encoder_folder(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder / "modules.json") || std::filesystem::exists(folder / "config.json"))
    return folder;
  const Json modules = read_sentence_json(FolderFiles(folder), "modules.json");
  const Json::Array& list = modules.as_array("modules.json");
  check(!list.empty(), ErrorCode::parse, "[sentence_transformer] modules.json is empty");
  return folder / list[0].at("path", "modules.json").as_string("modules.json: \"path\"");
}

}  // namespace

SentenceTransformer SentenceTransformer::from_pretrained(std::string_view model, const LoadOptions& options) {
  const std::filesystem::path path = hub::resolve_model(model);
  const bool is_folder = std::filesystem::is_directory(path);
  const std::filesystem::path folder = is_folder ? path : path.parent_path();
  const std::string encoder = (is_folder ? encoder_folder(path) : path).string();
  return {AutoTokenizer::from_pretrained(encoder), AutoModel::from_pretrained(encoder, options), FolderFiles(folder),
          folder};
}

SentenceTransformer::SentenceTransformer(PreTrainedTokenizer tokenizer, PreTrainedModel model, const FileSet& files,
                                         const std::filesystem::path& folder)
    : tokenizer_(std::move(tokenizer)), model_(std::move(model)) {
  const std::int64_t context = model_.model().common().max_position_embeddings;
  if (context > 0) max_length_ = static_cast<std::size_t>(context);
  if (const auto text = files.read("sentence_bert_config.json")) {
    const Json config = Json::parse(*text, "sentence_bert_config.json");
    if (const Json* length = config.find("max_seq_length"); length && !length->is_null())
      max_length_ = static_cast<std::size_t>(std::max<std::int64_t>(1, length->as_int("max_seq_length")));
  }
  if (!files.read("modules.json")) return;
  const Json modules = read_sentence_json(files, "modules.json");
  for (const Json& module : modules.as_array("modules.json")) {
    const std::string type = module.at("type", "modules.json").as_string("modules.json: \"type\"");
    const std::string kind = type.substr(type.rfind('.') + 1);
    const auto place = [&] { return module.at("path", "modules.json").as_string("modules.json: \"path\""); };
    if (kind == "Pooling") {
      check(modules_.empty(), ErrorCode::unsupported, "[sentence_transformer] ", files.describe(),
            ": pooling after other modules is not supported");
      const std::string name = place() + "/config.json";
      pooling_ = SentencePooling::parse(read_sentence_json(files, name), name);
    } else if (kind == "Dense") {
      check(!folder.empty(), ErrorCode::unsupported, "[sentence_transformer] ", files.describe(),
            ": dense layers of models in memory are not supported");
      auto dense = std::make_shared<const SentenceDense>(SentenceDense::open(folder / place()));
      check(dense->inputs() == dimension(), ErrorCode::shape_mismatch, "[sentence_transformer] ", files.describe(),
            ": a dense layer of ", dense->inputs(), " inputs follows vectors of ", dimension());
      dense_outputs_ = dense->outputs();
      modules_.push_back([dense](const Tensor& x) { return (*dense)(x); });
    } else if (kind == "Normalize") {
      modules_.push_back(l2_normalized);
    } else {
      check(kind == "Transformer", ErrorCode::unsupported, "[sentence_transformer] ", files.describe(), ": the module ",
            type, " is not supported");
    }
  }
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
      std::copy_n(values.data() + static_cast<std::ptrdiff_t>(i - begin) * width, width,
                  rows.data() + static_cast<std::ptrdiff_t>(order[i]) * width);
  }
  return Tensor::from(rows, {static_cast<std::int64_t>(texts.size()), width});
}

Tensor SentenceTransformer::similarity(const Tensor& a, const Tensor& b) {
  return matmul(l2_normalized(a), transpose(l2_normalized(b), 0, 1));
}

}  // namespace trustformers
