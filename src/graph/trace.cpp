#include "trace.h"

#include <unordered_map>

namespace trustformers::graph {
namespace {

class TraceDevice final : public Device, public TraceRecorder {
 public:
  DeviceKind kind() const override { return DeviceKind::trace; }
  std::string_view name() const override { return "trace"; }
  TraceRecorder* tracer() override { return this; }

  std::shared_ptr<Storage> allocate(std::size_t) override { refuse(); }
  const Kernel* find_kernel(const OpDef&) const override { return nullptr; }
  void upload(std::span<const std::byte>, Storage&) override { refuse(); }
  Tensor contiguous(const Tensor& tensor) override { return tensor; }
  void write(const Tensor&, const Tensor&) override { refuse(); }
  void read(const Tensor&, ReadDone) override { refuse(); }
  void prepack(const Tensor&) override {}

  Tensors record(const OpDef& op, const void* attrs, std::span<const Tensor> in, const OutputSpecs& out) override {
    Node node{&op, op.attrs.copy(attrs), {}, {}};
    for (const Tensor& t : in) node.in.push_back(value_of(t));
    Tensors results;
    for (const OutputSpec& spec : out) {
      results.push_back(make_value(spec));
      node.out.push_back(results.back().impl().trace_value);
    }
    graph.nodes.push_back(std::move(node));
    return results;
  }

  Tensor make_value(const OutputSpec& spec) {
    auto impl = std::make_shared<TensorImpl>();
    impl->shape = spec.shape;
    impl->strides = contiguous_strides(spec.shape);
    impl->dtype = spec.dtype;
    impl->storage = storage_;
    impl->trace_value = static_cast<ValueId>(graph.values.size());
    graph.values.push_back(spec);
    return Tensor(std::move(impl));
  }

  /// The value of a tensor; one of another device becomes a constant, once.
  ValueId value_of(const Tensor& t) {
    if (!t.defined()) return no_value;
    if (&t.device() == this) return t.impl().trace_value;
    check(!t.device().tracer(), ErrorCode::invalid_argument, "[trace] ", describe(t), " belongs to another trace");
    const auto [at, fresh] = constants_.try_emplace(&t.impl(), static_cast<ValueId>(graph.values.size()));
    if (fresh) {
      graph.values.push_back({t.shape(), t.dtype()});
      graph.constants.emplace_back(at->second, t);
    }
    return at->second;
  }

  Graph graph;

 private:
  [[noreturn]] static void refuse() {
    fail(ErrorCode::unsupported, "[trace] a traced tensor has no data: what depends on values cannot be traced");
  }

  std::shared_ptr<Storage> storage_ = [this] {
    auto storage = std::make_shared<Storage>();
    storage->device = this;
    return storage;
  }();
  std::unordered_map<const TensorImpl*, ValueId> constants_;
};

std::vector<Tensor> inputs_of(const Node& node, std::span<const Tensor> values) {
  std::vector<Tensor> in;
  for (const ValueId id : node.in) in.push_back(id == no_value ? Tensor() : values[static_cast<std::size_t>(id)]);
  return in;
}

using RunNode = std::function<Tensors(const Node& node, std::span<const Tensor> in)>;

/// Walks the nodes in order with `run_node` and returns the graph's outputs.
std::vector<Tensor> walk(const Graph& graph, std::span<const Tensor> inputs, const RunNode& run_node) {
  std::vector<Tensor> values(graph.values.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) values[static_cast<std::size_t>(graph.inputs[i])] = inputs[i];
  for (const auto& [id, tensor] : graph.constants) values[static_cast<std::size_t>(id)] = tensor;
  for (const Node& node : graph.nodes) {
    const Tensors out = run_node(node, inputs_of(node, values));
    for (std::size_t i = 0; i < node.out.size(); ++i) values[static_cast<std::size_t>(node.out[i])] = out[i];
  }
  std::vector<Tensor> outputs;
  for (const ValueId id : graph.outputs) outputs.push_back(values[static_cast<std::size_t>(id)]);
  return outputs;
}

}  // namespace

Graph trace(const Function& f, std::span<const OutputSpec> inputs) {
  TraceDevice device;
  std::vector<Tensor> arguments;
  for (const OutputSpec& spec : inputs) {
    arguments.push_back(device.make_value(spec));
    device.graph.inputs.push_back(arguments.back().impl().trace_value);
  }
  for (const Tensor& result : f(arguments)) device.graph.outputs.push_back(device.value_of(result));
  return std::move(device.graph);
}

Graph expand(const Graph& graph, const std::function<bool(const OpDef&)>& supported) {
  std::vector<OutputSpec> specs;
  for (const ValueId id : graph.inputs) specs.push_back(graph.values[static_cast<std::size_t>(id)]);
  bool opened = false;
  const RunNode open = [&](const Node& node, std::span<const Tensor> in) {
    if (supported(*node.op)) return dispatch(*node.op, node.attrs.get(), in);
    check(node.op->decompose != nullptr, ErrorCode::unsupported, "[expand] ", node.op->name,
          " is not supported and has no decomposition");
    opened = true;
    return node.op->decompose({node.attrs.get(), in});
  };
  const Graph result = trace([&](std::span<const Tensor> inputs) { return walk(graph, inputs, open); }, specs);
  return opened ? expand(result, supported) : result;
}

std::vector<Tensor> run(const Graph& graph, std::span<const Tensor> inputs) {
  check(inputs.size() == graph.inputs.size(), ErrorCode::invalid_argument, "[graph] needs ", graph.inputs.size(),
        " inputs, got ", inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const OutputSpec& spec = graph.values[static_cast<std::size_t>(graph.inputs[i])];
    check(inputs[i].shape() == spec.shape && inputs[i].dtype() == spec.dtype, ErrorCode::shape_mismatch,
          "[graph] input ", i, " must be ", to_string(spec.dtype), " ", spec.shape, ", got ", describe(inputs[i]));
  }
  return walk(graph, inputs,
              [](const Node& node, std::span<const Tensor> in) { return dispatch(*node.op, node.attrs.get(), in); });
}

}  // namespace trustformers::graph
