#include "zoo.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "base/rng.h"
#include "goldens/case.h"
#include "ops/elementwise/unary.h"
#include "ops/shape/shape_ops.h"
#include "quantization/blocks.h"

namespace trustformers::test {
namespace {

/// Tensors in memory under the names that the model asks for.
class RandomWeights final : public WeightSource {
 public:
  RandomWeights(const std::vector<ParameterShape>& shapes, std::uint64_t seed, DType dtype) {
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      const ParameterShape& p = shapes[i];
      const Tensor values = stored_as(random(p, Philox(seed, i)), dtype);
      TensorEntry entry;
      entry.name = p.name;
      entry.dtype = values.dtype();
      entry.shape = p.shape;
      entry.bytes = static_cast<std::uint64_t>(byte_size(values.dtype(), values.numel()));
      entries_.push_back(entry);
      tensors_.emplace(p.name, values);
    }
  }
  std::span<const TensorEntry> entries() const override { return entries_; }
  const TensorEntry* find(std::string_view name) const override {
    const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const auto& e) { return e.name == name; });
    return found == entries_.end() ? nullptr : &*found;
  }
  Tensor load(std::string_view name) const override { return tensors_.at(std::string(name)); }
  void release(std::string_view) const override {}
  std::string location(std::string_view) const override { return "random weights"; }
  std::string describe() const override { return "random weights"; }

 private:
  static Tensor random(const ParameterShape& p, const Philox& rng) {
    Tensor out = Tensor::empty(p.shape);
    const bool vector = p.shape.size() < 2;
    const bool gain = vector && p.name.ends_with("weight");
    const bool table = p.name.find("emb") != std::string::npos || p.name.find("wte") != std::string::npos;
    const double spread = vector  ? 0.2
                          : table ? 0.7
                                  : 0.8 / std::sqrt(static_cast<double>(std::max<std::int64_t>(1, p.shape.back())));
    // Even over the interval whose standard deviation is `spread`: normal numbers would take a third of the tests'
    // time.
    const double width = spread * std::sqrt(12.0);
    float* data = out.mutable_data<float>();
    for (std::int64_t i = 0; i < out.numel(); ++i)
      data[i] = static_cast<float>((gain ? 1 : 0) +
                                   width * (static_cast<double>(rng.uniform(static_cast<std::uint64_t>(i))) - 0.5));
    return out;
  }
  static Tensor stored_as(const Tensor& values, DType dtype) {
    if (dtype == DType::f32 || values.rank() != 2) return values;
    if (!is_block(dtype)) return cast(values, dtype);
    if (values.size(1) % 32 != 0) return values;
    std::vector<std::byte> bytes(static_cast<std::size_t>(byte_size(dtype, values.numel())));
    quantize_row(dtype, values.data<float>(), values.numel(), bytes.data());
    return Tensor::from_bytes(bytes, values.shape(), dtype);
  }

  std::vector<TensorEntry> entries_;
  std::map<std::string, Tensor> tensors_;
};

std::vector<std::int64_t> special_ids(const Model& model) {
  std::vector<std::int64_t> out = model.common().eos_token_id;
  for (const auto& id : {model.common().pad_token_id, model.common().bos_token_id}) out.push_back(id.value_or(0));
  for (const std::string_view key : {"mask_token_id", "sep_token_id", "cls_token_id"})
    if (const Json* id = model.config().find(key); id && id->is_number()) out.push_back(id->as_int(key));
  return out;
}

Tensor random_ids(const Shape& shape, std::int64_t below, std::uint64_t seed, const std::vector<std::int64_t>& avoid) {
  const Philox rng(seed, 0);
  std::vector<std::int64_t> ids;
  for (std::uint64_t i = 0; static_cast<std::int64_t>(ids.size()) < element_count(shape); ++i) {
    const auto id = static_cast<std::int64_t>(rng.uniform(i) * static_cast<float>(below));
    if (std::find(avoid.begin(), avoid.end(), id) == avoid.end()) ids.push_back(std::min(id, below - 1));
  }
  return Tensor::from(ids, shape);
}

}  // namespace

const std::vector<Zoo>& zoo() {
  static const std::vector<Zoo> all = [] {
    std::map<std::string, std::pair<std::size_t, Json>> smallest;
    for (const goldens::Case& c : goldens::find_cases(std::filesystem::path(TRUSTFORMERS_TEST_DATA) / "goldens")) {
      const std::filesystem::path path = c.folder / "config.json";
      if (!c.description.find("class") || !std::filesystem::exists(path)) continue;
      Json config = Json::parse(read_text_file(path), path.string());
      const std::string type = config.at("model_type").as_string();
      const std::size_t size = c.name.size();
      if (const auto known = smallest.find(type); known == smallest.end() || size < known->second.first)
        smallest.insert_or_assign(type, std::pair(size, std::move(config)));
    }
    std::vector<Zoo> out;
    for (const Architecture& a : all_architectures())
      if (const auto found = smallest.find(std::string(a.model_type)); found != smallest.end())
        out.push_back({&a, found->second.second});
    return out;
  }();
  return all;
}

Checkpoint random_checkpoint(const Zoo& entry, const std::string& class_name, std::uint64_t seed, DType dtype) {
  LoadOptions options;
  options.class_name = class_name;
  const std::unique_ptr<Model> model = meta_model(entry.config, options);
  std::vector<ParameterShape> shapes = model->parameters().shapes();
  const std::vector<ParameterShape>& buffers = model->parameters().buffer_shapes();
  shapes.insert(shapes.end(), buffers.begin(), buffers.end());
  return {.path = {},
          .config = entry.config,
          .config_where = "config.json",
          .weights = std::make_shared<RandomWeights>(shapes, seed, dtype),
          .architecture = entry.architecture,
          .gguf = false};
}

std::unique_ptr<Model> random_model(const Zoo& entry, const std::string& class_name, std::uint64_t seed,
                                    ParameterOptions parameters) {
  LoadOptions options;
  options.class_name = class_name;
  options.parameters = std::move(parameters);
  return load_model(random_checkpoint(entry, class_name, seed), options);
}

bool has_loss(Task task) {
  return task != Task::base && task != Task::pretraining && task != Task::next_sentence_prediction;
}

ModelInputs random_inputs(const Model& model, Task task, std::int64_t length, std::uint64_t seed, bool labels) {
  const CommonConfig& c = model.common();
  const std::vector<std::int64_t> special = special_ids(model);
  std::int64_t written = c.vocab_size;  // ids that a decoder knows; Marian's may have a vocabulary of its own
  if (const Json* own = model.config().find("decoder_vocab_size"); own && own->is_int())
    written = std::min(written, own->as_int());
  ModelInputs in;
  const Shape shape = task == Task::multiple_choice ? Shape{2, 3, length} : Shape{2, length};
  in.input_ids = random_ids(shape, c.vocab_size, seed, special);
  if (model.is_encoder_decoder()) {
    // Sentence heads read the end of the text, which must then be there.
    if (!c.eos_token_id.empty()) {
      std::vector<std::int64_t> ids = in.input_ids.to_vector<std::int64_t>();
      for (std::size_t end = static_cast<std::size_t>(length); end <= ids.size();
           end += static_cast<std::size_t>(length))
        ids[end - 1] = c.eos_token_id.front();
      in.input_ids = Tensor::from(ids, shape);
    }
    const bool reads_twice = task == Task::sequence_classification || task == Task::question_answering;
    in.decoder_input_ids = reads_twice ? in.input_ids : random_ids({2, length - 1}, written, seed + 1, special);
  }
  if (!labels) return in;
  switch (task) {
    case Task::causal_lm:
    case Task::masked_lm: in.labels = random_ids(shape, c.vocab_size, seed + 2, special); break;
    case Task::seq2seq_lm: in.labels = random_ids(in.decoder_input_ids.shape(), written, seed + 2, special); break;
    case Task::sequence_classification: in.labels = random_ids({2}, c.num_labels, seed + 2, {}); break;
    case Task::token_classification: in.labels = random_ids(shape, c.num_labels, seed + 2, {}); break;
    case Task::multiple_choice: in.labels = random_ids({2}, 3, seed + 2, {}); break;
    case Task::question_answering:
      in.start_positions = random_ids({2}, length, seed + 2, {});
      in.end_positions = random_ids({2}, length, seed + 3, {});
      break;
    default: break;
  }
  if (model.class_name().ends_with("DoubleHeadsModel"))  // its loss is the language model's
    in.labels = random_ids(shape, c.vocab_size, seed + 2, special);
  if (task == Task::sequence_classification && c.num_labels == 1) in.labels = Tensor::from({0.5F, -1.5F}, {2});
  return in;
}

std::vector<NamedOutput> outputs_of(const ModelOutput& output) {
  std::vector<NamedOutput> out;
  for (const std::string_view name :
       {"last_hidden_state", "pooler_output", "mc_logits", "logits", "start_logits", "end_logits", "prediction_logits",
        "seq_relationship_logits", "encoder_last_hidden_state"})
    if (const Tensor value = output.find(name); value.defined()) out.push_back({name, value});
  return out;
}

double difference(const Tensor& got, const Tensor& expected) {
  if (got.shape() != expected.shape()) return INFINITY;
  const std::vector<double> a = got.to_vector<double>(), b = expected.to_vector<double>();
  if (b.empty()) return 0;
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i])) return INFINITY;
    most = std::max(most, std::abs(a[i] - b[i]));
  }
  const auto [low, high] = std::minmax_element(b.begin(), b.end());
  return most / std::max(*high - *low, 1e-3);
}

ModelInputs part_of(const ModelInputs& in, std::int64_t row, std::int64_t first, std::int64_t end) {
  ModelInputs out = in;
  for (Tensor ModelInputs::* member : {&ModelInputs::input_ids, &ModelInputs::attention_mask,
                                       &ModelInputs::position_ids, &ModelInputs::decoder_input_ids}) {
    Tensor& t = out.*member;
    if (!t.defined()) continue;
    t = slice(t, 0, row, row + 1);
    if (member != &ModelInputs::decoder_input_ids) t = slice(t, static_cast<std::int64_t>(t.rank()) - 1, first, end);
    t = contiguous(t);
  }
  return out;
}

}  // namespace trustformers::test
