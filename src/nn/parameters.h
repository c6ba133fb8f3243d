// Where modules get their weights: a path (Scope) into a set of named parameters that are loaded, initialised or only
// counted, by the same constructors.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "../base/progress.h"
#include "../weights/load_report.h"
#include "../weights/safetensors.h"
#include "../weights/source.h"

namespace trustformers {

class Adapter;

/// A parameter as a model asks for it.
struct ParameterShape {
  std::string name;
  Shape shape;
  bool optional = false;  // some checkpoints leave it out
};

/// How a parameter starts when there is no checkpoint.
struct Init {
  enum class Kind { zeros, ones, normal } kind = Kind::normal;
  double deviation = 0.02;  // of normal
};
inline constexpr Init init_zeros{Init::Kind::zeros, 0};
inline constexpr Init init_ones{Init::Kind::ones, 0};

struct ParameterOptions {
  /// Parameters are f32 copies that require gradients, instead of views of the file repacked for inference. With an
  /// adapter that is not merged only its weights are; those of the model that it does not hold whole stay as they are
  /// in the file, quantised ones too (Dettmers et al. 2023).
  bool trainable = false;
  /// Quantised linear layers keep f32 activations instead of rounding them to 8 bits.
  bool exact_activations = false;
  /// Low-rank adapter weights on top of linear layers; see adapter.h.
  std::shared_ptr<const Adapter> adapter = {};
  /// Add the adapter's product to the weights at load instead of computing beside them.
  bool merge_adapter = false;
  /// Called after each tensor with the bytes loaded so far; may throw to stop.
  ProgressCallback progress = {};

  /// True when the model's own parameters are to be trained.
  bool trains_model() const { return trainable && (!adapter || merge_adapter); }
};

/// A tensor of the checkpoint under the name that the model asks for: its name in the file, and what turns the file's
/// layout into the model's (empty: nothing).
struct StoredName {
  std::string name;
  std::function<Tensor(const Tensor&)> transform;
};

/// All parameters of a model while it is built and afterwards. Disagreements with the checkpoint are collected;
/// finish() throws them in one error.
class Parameters {
 public:
  /// Maps a parameter's name to where the file may hold it, best first.
  using NameMap = std::function<std::vector<StoredName>(const std::string& name)>;

  /// Weights of a checkpoint.
  static std::shared_ptr<Parameters> load(std::shared_ptr<const WeightSource> source, NameMap names,
                                          ParameterOptions options);
  /// Fresh weights: parameter number i draws from stream i of `seed`, so sizes decide nothing but sizes.
  static std::shared_ptr<Parameters> init(std::uint64_t seed, ParameterOptions options);
  /// Names and shapes only; nothing is allocated and get() gives undefined tensors.
  static std::shared_ptr<Parameters> meta();

  /// The parameter `name` of that shape. A matrix keeps the checkpoint's dtype; vectors become f32. When the checkpoint
  /// lacks it or has another shape, that is noted and the result is undefined.
  Tensor get(const std::string& name, const Shape& shape, const Init& init);
  /// A tensor that is saved and loaded like a parameter and is none: never trained, not counted.
  Tensor get_buffer(const std::string& name, const Shape& shape, const Init& init);
  /// True when the checkpoint holds `name` with exactly the elements of `tensor` (a tied matrix that was written
  /// twice).
  bool stored_equals(const std::string& name, const Tensor& tensor) const;
  /// True when the checkpoint holds `name` (also for initialised and counted models: never).
  bool stored(const std::string& name) const;
  /// False only when a checkpoint is being loaded that lacks `name`: for parts that some checkpoints leave out.
  /// Parameters under the same path are marked as optional in shapes().
  bool available(const std::string& name);
  /// Repacks a weight for the backend's kernels, unless it is to be trained.
  void prepack(const std::string& name, const Tensor& weight);
  /// Registers a parameter that came from elsewhere (an adapter).
  void add(const std::string& name, const Tensor& tensor);
  /// Puts another tensor under a known name (a merged weight).
  void replace(const std::string& name, const Tensor& tensor);
  /// Names in the file that the model may leave unused without a remark.
  void ignore(std::vector<std::string> patterns);

  /// Throws one error listing what is missing or misshapen, when there is anything.
  void finish();

  const ParameterOptions& options() const { return options_; }
  bool is_meta() const { return mode_ == Mode::meta; }
  /// In the order in which the model asked; every tensor once, under its first name.
  const std::vector<NamedTensor>& named() const { return named_; }
  /// What get_buffer gave.
  const std::vector<NamedTensor>& buffers() const { return buffers_; }
  const std::vector<ParameterShape>& buffer_shapes() const { return buffer_shapes_; }
  /// named() with the shapes asked for.
  const std::vector<ParameterShape>& shapes() const { return shapes_; }
  /// Number of scalars, from the shapes.
  std::int64_t count() const { return count_; }
  const LoadReport& report() const { return report_; }
  std::string describe_source() const;

 private:
  enum class Mode { load, init, meta };
  Parameters() = default;
  std::optional<StoredName> find(const std::string& name) const;
  bool is_optional(const std::string& name) const;
  Tensor load_stored(const std::string& name, const StoredName& stored, const Shape& shape);
  Tensor whole_of_adapter(const std::string& name, const Shape& shape);
  Tensor loaded(const std::string& name, const Shape& shape);
  Tensor initialised(const Shape& shape, const Init& init);

  Mode mode_ = Mode::meta;
  std::shared_ptr<const WeightSource> source_;
  NameMap names_;
  ParameterOptions options_;
  std::uint64_t seed_ = 0;
  std::int64_t count_ = 0;
  std::int64_t loaded_bytes_ = 0;
  std::int64_t total_bytes_ = 0;
  std::vector<NamedTensor> named_, buffers_;
  std::vector<ParameterShape> shapes_, buffer_shapes_;
  std::vector<std::string> optional_;
  std::unordered_map<std::string, std::size_t> index_;
  std::unordered_set<std::string> used_;
  std::vector<std::string> ignored_;
  LoadReport report_;
};

/// A place in the tree of names: scope / "layers" / 3 / "mlp".
class Scope {
 public:
  explicit Scope(std::shared_ptr<Parameters> parameters, std::string path = "")
      : parameters_(std::move(parameters)), path_(std::move(path)) {}

  Scope operator/(std::string_view name) const;
  Scope operator/(std::int64_t index) const { return *this / std::to_string(index); }
  const std::string& path() const { return path_; }
  std::string name(std::string_view leaf) const {
    return path_.empty() ? std::string(leaf) : path_ + "." + std::string(leaf);
  }

  Tensor get(std::string_view leaf, const Shape& shape, const Init& init = {}) const {
    return parameters_->get(name(leaf), shape, init);
  }
  Tensor get_buffer(std::string_view leaf, const Shape& shape, const Init& init) const {
    return parameters_->get_buffer(name(leaf), shape, init);
  }
  bool stored(std::string_view leaf) const { return parameters_->stored(name(leaf)); }
  bool available(std::string_view leaf) const { return parameters_->available(name(leaf)); }
  Parameters& parameters() const { return *parameters_; }
  const ParameterOptions& options() const { return parameters_->options(); }

 private:
  std::shared_ptr<Parameters> parameters_;
  std::string path_;
};

}  // namespace trustformers
