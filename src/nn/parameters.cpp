#include "parameters.h"

#include <algorithm>
#include <cstring>

#include "../base/rng.h"
#include "../ops/elementwise/unary.h"
#include "../tensor/device.h"
#include "adapter.h"

namespace trustformers {

std::shared_ptr<Parameters> Parameters::load(std::shared_ptr<const WeightSource> source, NameMap names,
                                             ParameterOptions options) {
  std::shared_ptr<Parameters> p(new Parameters);
  p->mode_ = Mode::load;
  p->source_ = std::move(source);
  p->names_ = std::move(names);
  p->options_ = std::move(options);
  for (const TensorEntry& entry : p->source_->entries()) p->total_bytes_ += static_cast<std::int64_t>(entry.bytes);
  return p;
}

std::shared_ptr<Parameters> Parameters::init(std::uint64_t seed, ParameterOptions options) {
  std::shared_ptr<Parameters> p(new Parameters);
  p->mode_ = Mode::init;
  p->seed_ = seed;
  p->options_ = std::move(options);
  return p;
}

std::shared_ptr<Parameters> Parameters::meta() { return std::shared_ptr<Parameters>(new Parameters); }

std::optional<StoredName> Parameters::find(const std::string& name) const {
  if (mode_ != Mode::load) return std::nullopt;
  for (StoredName& candidate : names_(name))
    if (source_->find(candidate.name)) return std::move(candidate);
  return std::nullopt;
}

bool Parameters::stored(const std::string& name) const { return find(name).has_value(); }

bool Parameters::available(const std::string& name) {
  optional_.push_back(name.substr(0, name.rfind('.')));
  return mode_ != Mode::load || stored(name);
}

bool Parameters::is_optional(const std::string& name) const {
  return std::find(optional_.begin(), optional_.end(), name.substr(0, name.rfind('.'))) != optional_.end();
}

Tensor Parameters::load_stored(const std::string& name, const StoredName& stored, const Shape& shape) {
  used_.insert(stored.name);
  const Tensor whole = source_->load(stored.name);
  Tensor tensor = stored.transform ? stored.transform(whole) : whole;
  // A transformed copy is nobody else's.
  if (tensor.impl().storage != whole.impl().storage) tensor.impl().storage->disposable = true;
  if (tensor.shape() != shape) {
    report_.add_misshapen(name, shape, tensor.shape(), source_->location(stored.name));
    return Tensor();
  }
  loaded_bytes_ += static_cast<std::int64_t>(source_->find(stored.name)->bytes);
  if (options_.progress) options_.progress({"load", name, loaded_bytes_, total_bytes_});
  // Vectors are small and every op reads them as f32; matrices keep the file's format for linear() and embedding().
  if (options_.trains_model() || shape.size() < 2) tensor = cast(tensor, DType::f32);
  if (options_.trains_model() && tensor.impl().storage->read_only)
    tensor = Tensor::from(tensor.to_vector<float>(), shape);
  return tensor;
}

Tensor Parameters::initialised(const Shape& shape, const Init& init) {
  switch (init.kind) {
    case Init::Kind::zeros: return Tensor::zeros(shape);
    case Init::Kind::ones: return Tensor::ones(shape);
    case Init::Kind::normal: break;
  }
  const Philox random(seed_, named_.size());
  Tensor out = Tensor::empty(shape);
  float* data = out.mutable_data<float>();
  const std::int64_t count = out.numel();
  for (std::int64_t i = 0; i < count; ++i)
    data[i] = static_cast<float>(init.deviation * static_cast<double>(random.normal(static_cast<std::uint64_t>(i))));
  return out;
}

/// A parameter that the adapter holds instead of the checkpoint, which may lack it (a fresh classifier).
Tensor Parameters::whole_of_adapter(const std::string& name, const Shape& shape) {
  if (!options_.adapter) return Tensor();
  Tensor tensor = options_.adapter->find_whole(name);
  if (!tensor.defined()) return tensor;
  check(tensor.shape() == shape, ErrorCode::shape_mismatch, "[adapter] ", name, " must be ", shape, ", got ",
        describe(tensor));
  if (const auto replaced = find(name)) used_.insert(replaced->name);
  if (!options_.trainable) return shape.size() < 2 ? cast(tensor, DType::f32) : tensor;
  Tensor copy = Tensor::from(cast(tensor, DType::f32).to_vector<float>(), shape);
  copy.set_requires_grad(true);
  return copy;
}

Tensor Parameters::loaded(const std::string& name, const Shape& shape) {
  if (const Tensor whole = whole_of_adapter(name, shape); whole.defined()) return whole;
  if (const auto found = find(name)) {
    return with_context([&] { return str("while loading ", name, " from ", source_->location(found->name)); },
                        [&] { return load_stored(name, *found, shape); });
  }
  report_.add_missing(name);
  // A config that promises far more than the file holds would fill memory with names.
  if (report_.missing().size() > 4096) finish();
  return Tensor();
}

Tensor Parameters::get_buffer(const std::string& name, const Shape& shape, const Init& init) {
  Tensor tensor;
  if (mode_ == Mode::init) tensor = initialised(shape, init);
  if (mode_ == Mode::load) tensor = loaded(name, shape);
  buffers_.push_back({name, tensor});
  buffer_shapes_.push_back({name, shape, is_optional(name)});
  return tensor;
}

bool Parameters::stored_equals(const std::string& name, const Tensor& tensor) const {
  const auto found = find(name);
  if (!found || !tensor.defined()) return false;
  Tensor stored = source_->load(found->name);
  if (found->transform) stored = found->transform(stored);
  if (stored.shape() != tensor.shape()) return false;
  if (stored.dtype() != tensor.dtype()) stored = cast(stored, tensor.dtype());
  const auto bytes = static_cast<std::size_t>(byte_size(tensor.dtype(), tensor.numel()));
  return stored.is_contiguous() && tensor.is_contiguous() && std::memcmp(stored.raw(), tensor.raw(), bytes) == 0;
}

Tensor Parameters::get(const std::string& name, const Shape& shape, const Init& init) {
  if (const auto known = index_.find(name); known != index_.end()) return named_[known->second].tensor;
  Tensor tensor;
  if (mode_ == Mode::init) tensor = initialised(shape, init);
  if (mode_ == Mode::load) tensor = loaded(name, shape);
  count_ += element_count(shape);
  shapes_.push_back({name, shape, is_optional(name)});
  if (tensor.defined() && options_.trains_model()) tensor.set_requires_grad(true);
  add(name, tensor);
  return tensor;
}

void Parameters::prepack(const std::string& name, const Tensor& weight) {
  if (!weight.defined() || weight.requires_grad()) return;
  weight.device().prepack(weight);
  if (const auto found = find(name)) source_->release(found->name);
}

void Parameters::add(const std::string& name, const Tensor& tensor) {
  index_.emplace(name, named_.size());
  named_.push_back({name, tensor});
}

void Parameters::replace(const std::string& name, const Tensor& tensor) { named_[index_.at(name)].tensor = tensor; }

void Parameters::ignore(std::vector<std::string> patterns) {
  ignored_.insert(ignored_.end(), patterns.begin(), patterns.end());
}

void Parameters::finish() {
  if (mode_ != Mode::load) return;
  for (const TensorEntry& entry : source_->entries())
    if (!used_.contains(entry.name)) report_.add_unexpected(entry.name);
  report_.check(source_->describe(), {.strict = false, .ignore_unexpected = ignored_});
}

std::string Parameters::describe_source() const {
  switch (mode_) {
    case Mode::load: return source_->describe();
    case Mode::init: return str("seed ", seed_);
    case Mode::meta: break;
  }
  return "shapes only";
}

Scope Scope::operator/(std::string_view name) const { return Scope(parameters_, this->name(name)); }

}  // namespace trustformers
