#include "tape.h"

#include <atomic>
#include <queue>
#include <unordered_map>

#include "../ops/elementwise/binary.h"
#include "../ops/shape/shape_ops.h"
#include "../tensor/autograd_meta.h"
#include "../tensor/context.h"

namespace trustformers {
namespace {

std::uint64_t next_sequence() {
  static std::atomic<std::uint64_t> counter{0};
  return counter.fetch_add(1, std::memory_order_relaxed);
}

/// A recorded op. Later nodes have higher numbers than the nodes of their inputs.
struct Node : GradNode {
  std::uint64_t sequence = next_sequence();
  std::vector<Tensor> in;
  std::size_t outputs = 0;

  /// One gradient per input, undefined where none flows.
  virtual std::vector<Tensor> backward(std::span<const Tensor> grads, std::span<const bool> needs) = 0;
  virtual std::string_view name() const = 0;

  Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  /// A long chain of nodes must not be freed by recursion: inputs go to a list that the outermost destructor empties.
  ~Node() override {
    thread_local std::vector<std::vector<Tensor>>* pending = nullptr;
    if (pending) {
      pending->push_back(std::move(in));
      return;
    }
    std::vector<std::vector<Tensor>> work;
    work.push_back(std::move(in));
    pending = &work;
    while (!work.empty()) {
      const std::vector<Tensor> batch = std::move(work.back());
      work.pop_back();
    }
    pending = nullptr;
  }
};

bool wants_gradient(const Tensor& t) { return t.defined() && t.requires_grad(); }

void run_backward(std::span<const Tensor> roots, std::span<const Tensor> seeds) {
  const NoGrad quiet;
  const auto earlier = [](const std::shared_ptr<Node>& a, const std::shared_ptr<Node>& b) {
    return a->sequence < b->sequence;
  };
  std::priority_queue<std::shared_ptr<Node>, std::vector<std::shared_ptr<Node>>, decltype(earlier)> ready(earlier);
  std::unordered_map<Node*, std::vector<Tensor>> arrived;  // gradients of a node's outputs

  const auto send = [&](const Tensor& to, const Tensor& grad) {
    AutogradMeta& meta = *to.impl().autograd;
    check(grad.shape() == to.shape(), ErrorCode::internal, "[backward] a gradient ", describe(grad), " was made for ",
          describe(to));
    if (!meta.node) {
      meta.grad = meta.grad.defined() ? meta.grad + grad : contiguous(grad);
      return;
    }
    const auto node = std::static_pointer_cast<Node>(meta.node);
    auto [at, fresh] = arrived.try_emplace(node.get(), node->outputs);
    if (fresh) ready.push(node);
    Tensor& sum = at->second[static_cast<std::size_t>(meta.output)];
    sum = sum.defined() ? sum + grad : grad;
  };

  for (std::size_t i = 0; i < roots.size(); ++i)
    if (wants_gradient(roots[i]) && seeds[i].defined()) send(roots[i], seeds[i]);

  while (!ready.empty()) {
    const std::shared_ptr<Node> node = ready.top();
    ready.pop();
    const std::vector<Tensor> grads = std::move(arrived.extract(node.get()).mapped());
    const std::unique_ptr<bool[]> needs(new bool[node->in.size()]);
    for (std::size_t i = 0; i < node->in.size(); ++i) needs[i] = wants_gradient(node->in[i]);
    const std::vector<Tensor> back =
        with_context([&] { return str("while differentiating ", node->name()); },
                     [&] { return node->backward(grads, {needs.get(), node->in.size()}); });
    check(back.size() == node->in.size(), ErrorCode::internal, "[backward] ", node->name(), " gave ", back.size(),
          " gradients for ", node->in.size(), " inputs");
    for (std::size_t i = 0; i < back.size(); ++i)
      if (needs[i] && back[i].defined()) send(node->in[i], back[i]);
  }
}

/// Fresh leaves with the values of `in`, so that a body can be differentiated apart from the outer tape.
std::vector<Tensor> fresh_leaves(std::span<const Tensor> in, std::span<const bool> needs) {
  std::vector<Tensor> leaves;
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (!in[i].defined()) {
      leaves.emplace_back();
      continue;
    }
    leaves.push_back(make_view(in[i], in[i].shape(), in[i].strides(), in[i].impl().offset));
    if (needs[i]) leaves.back().set_requires_grad(true);
  }
  return leaves;
}

/// Runs `body` on fresh leaves with the tape on and returns the gradients of the leaves.
template <class Body>
std::vector<Tensor> differentiate_again(const Body& body, std::span<const Tensor> in, std::span<const Tensor> grads,
                                        std::span<const bool> needs) {
  const EnableGrad recording;
  const std::vector<Tensor> leaves = fresh_leaves(in, needs);
  const Tensors parts = body(leaves);
  run_backward({parts.data(), parts.size()}, grads);
  std::vector<Tensor> found;
  for (const Tensor& leaf : leaves) found.push_back(leaf.defined() ? leaf.grad() : Tensor());
  return found;
}

struct OpNode final : Node {
  const OpDef* op = nullptr;
  std::shared_ptr<const void> attrs;
  std::vector<Tensor> out;  // without history, or the node would own itself

  std::string_view name() const override { return op->name; }
  std::vector<Tensor> backward(std::span<const Tensor> grads, std::span<const bool> needs) override {
    if (op->vjp) {
      std::vector<Tensor> plain;
      for (const Tensor& t : in) plain.push_back(t.defined() ? t.detach() : t);
      return op->vjp({attrs.get(), plain, out, grads, needs});
    }
    check(op->decompose != nullptr, ErrorCode::unsupported, "[", op->name, "] has no gradient");
    return differentiate_again([&](std::span<const Tensor> leaves) { return op->decompose({attrs.get(), leaves}); }, in,
                               grads, needs);
  }
};

struct CheckpointNode final : Node {
  std::function<Tensors(std::span<const Tensor>)> body;

  std::string_view name() const override { return "checkpoint"; }
  std::vector<Tensor> backward(std::span<const Tensor> grads, std::span<const bool> needs) override {
    return differentiate_again(body, in, grads, needs);
  }
};

/// Makes `node` the origin of the outputs.
void attach(const std::shared_ptr<Node>& node, std::span<const Tensor> in, std::span<const Tensor> out) {
  node->in.assign(in.begin(), in.end());
  node->outputs = out.size();
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!is_floating(out[i].dtype())) continue;
    AutogradMeta& meta = autograd_meta(out[i]);
    meta.node = node;
    meta.output = static_cast<int>(i);
  }
}

class Tape final : public TapeRecorder {
 public:
  void record(const OpDef& op, const void* attrs, std::span<const Tensor> in, std::span<const Tensor> out) override {
    const auto node = std::make_shared<OpNode>();
    node->op = &op;
    node->attrs = op.attrs.copy(attrs);
    for (const Tensor& t : out) node->out.push_back(make_view(t, t.shape(), t.strides(), t.impl().offset));
    attach(node, in, out);
  }

  void backward(const Tensor& root, const Tensor& seed) override {
    check(root.requires_grad(), ErrorCode::invalid_argument, "[backward] ", describe(root),
          " depends on no tensor that requires a gradient");
    Tensor grad = seed;
    if (!grad.defined()) {
      check(root.numel() == 1, ErrorCode::shape_mismatch, "[backward] needs a seed for ", describe(root),
            ": only scalars have a default");
      grad = Tensor::ones(root.shape(), root.dtype());
    }
    check(grad.shape() == root.shape(), ErrorCode::shape_mismatch, "[backward] the seed must be ", root.shape(),
          ", got ", describe(grad));
    run_backward({&root, 1}, {&grad, 1});
  }
};

}  // namespace

std::unique_ptr<TapeRecorder> make_tape() { return std::make_unique<Tape>(); }

Tensors checkpoint(std::function<Tensors(std::span<const Tensor>)> body, std::span<const Tensor> inputs) {
  if (!grad_enabled()) return body(inputs);
  Tensors out;
  {
    const NoGrad quiet;
    out = body(inputs);
  }
  for (Tensor& t : out) t = make_view(t, t.shape(), t.strides(), t.impl().offset);  // the body may return an input
  const auto node = std::make_shared<CheckpointNode>();
  node->body = std::move(body);
  attach(node, inputs, {out.data(), out.size()});
  return out;
}

}  // namespace trustformers
