// The trace device: runs a function's shape rules, computes nothing, and keeps the ops as a graph.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "../tensor/device.h"

namespace trustformers::graph {

using ValueId = std::int64_t;
inline constexpr ValueId no_value = -1;  // an absent optional input

struct Node {
  const OpDef* op = nullptr;
  std::shared_ptr<const void> attrs;
  std::vector<ValueId> in;
  std::vector<ValueId> out;
};

/// A straight-line program over values. Values are inputs, constants (weights among them) or outputs of nodes.
struct Graph {
  std::vector<OutputSpec> values;  // shape and dtype by value
  std::vector<ValueId> inputs;
  std::vector<std::pair<ValueId, Tensor>> constants;
  std::vector<Node> nodes;  // in an order in which they can run
  std::vector<ValueId> outputs;
};

using Function = std::function<std::vector<Tensor>(std::span<const Tensor>)>;

/// Records `f` for inputs of these shapes and dtypes. Ops stay at the level at which they were written.
Graph trace(const Function& f, std::span<const OutputSpec> inputs);
/// Opens, repeatedly, the decomposition of every op that `supported` refuses. Throws unsupported for a primitive.
Graph expand(const Graph& graph, const std::function<bool(const OpDef&)>& supported);
/// Runs a graph through dispatch.
std::vector<Tensor> run(const Graph& graph, std::span<const Tensor> inputs);

}  // namespace trustformers::graph
