// Every registered architecture as a tiny model with random weights: what the property tests run on.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/auto.h"

namespace trustformers::test {

/// An architecture with the smallest config among its golden cases.
struct Zoo {
  const Architecture* architecture;
  Json config;
};
/// One entry an architecture that has a golden case, in the order of the registry.
const std::vector<Zoo>& zoo();

/// A checkpoint with random weights of a size that lets every parameter matter, the same for the same seed. Matrices
/// that can be are stored as `dtype`.
Checkpoint random_checkpoint(const Zoo& entry, const std::string& class_name, std::uint64_t seed,
                             DType dtype = DType::f32);
/// The model of that checkpoint.
std::unique_ptr<Model> random_model(const Zoo& entry, const std::string& class_name, std::uint64_t seed,
                                    ParameterOptions options = {});

/// Two texts of `length` tokens for the model's class; with targets if `labels`.
ModelInputs random_inputs(const Model& model, Task task, std::int64_t length, std::uint64_t seed, bool labels = false);
/// True when random_inputs knows the targets of the task.
bool has_loss(Task task);

/// The outputs that a class may have, by name.
struct NamedOutput {
  std::string_view name;
  Tensor value;
};
std::vector<NamedOutput> outputs_of(const ModelOutput& output);

/// The largest difference over the spread of the expected values.
double difference(const Tensor& got, const Tensor& expected);
/// Row `row` of everything that has rows, columns [first, end) of everything that has columns.
ModelInputs part_of(const ModelInputs& inputs, std::int64_t row, std::int64_t first, std::int64_t end);

}  // namespace trustformers::test
