// Every row of the table, judged. One row alone: trustformers_tests -tc="ops: *" -sc="NAME OF THE ROW"
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "autograd/gradient_check.h"
#include "graph/trace.h"
#include "ops/registry.h"
#include "runner.h"
#include "tensor/context.h"

using namespace trustformers;
using namespace trustformers::conformance;

namespace {

/// Calls body(row) for every row that `wanted` takes, each in a subcase of its own.
template <class Wanted, class Body>
void for_each_row(Wanted wanted, Body body) {
  for (const Row& row : all_rows()) {
    if (!wanted(row)) continue;
    const std::string name = row.name();
    SUBCASE(name.c_str()) { body(row); }
  }
}

bool every(const Row&) { return true; }
bool has_decomposition(const Row& row) { return row.op->decompose != nullptr; }
bool has_gradient(const Row& row) {
  return row.differentiable && std::any_of(row.dtypes.begin(), row.dtypes.end(), is_floating);
}

std::int64_t largest(const Row& row) { return *std::max_element(row.sizes.begin(), row.sizes.end()); }
/// The size nearest to 33 from above or the largest, and the smallest that is not empty.
std::int64_t medium(const Row& row) {
  for (const std::int64_t n : row.sizes)
    if (n >= 33) return n;
  return largest(row);
}
std::int64_t smallest(const Row& row) {
  for (const std::int64_t n : row.sizes)
    if (n > 0 && n <= 32) return n;
  return largest(row);
}

bool is_half(DType dtype) { return dtype == DType::f16 || dtype == DType::bf16; }
bool is_f64(DType dtype) { return dtype == DType::f64; }

/// The inputs as leaves that require gradients, where their dtype is wanted.
std::vector<Tensor> tracked(const Row& row, const std::vector<Tensor>& in, bool (*wanted)(DType) = is_floating) {
  std::vector<Tensor> out;
  for (const Tensor& t : in) {
    const bool tracks = t.defined() && wanted(t.dtype()) && out.size() < row.constants_from;
    out.push_back(tracks ? t.detach().set_requires_grad(true) : t);
  }
  return out;
}

std::vector<Tensor> gradients(const Row& row, const std::vector<Tensor>& in) {
  const std::vector<Tensor> leaves = tracked(row, in);
  const Tensor y = call(row, leaves);
  y.backward(Tensor::rand(y.shape(), 7, y.dtype()));
  std::vector<Tensor> out;
  for (const Tensor& leaf : leaves) out.push_back(leaf.defined() ? leaf.grad() : Tensor());
  return out;
}

}  // namespace

TEST_CASE("ops: every op has a row") {
  std::set<const OpDef*> covered;
  for (const Row& row : all_rows()) covered.insert(row.op);
  for (const OpDef* op : all_ops()) CHECK_MESSAGE(covered.count(op) == 1, op->name);
  CHECK(covered.size() == all_ops().size());
}

TEST_CASE("ops: row names are unique") {
  std::set<std::string> names;
  for (const Row& row : all_rows()) CHECK_MESSAGE(names.insert(row.name()).second, row.name());
}

TEST_CASE("ops: results agree with the reference in every size, dtype and layout") {
  for_each_row(every, [](const Row& row) {
    for (const DType dtype : row.dtypes)
      for (const std::int64_t n : row.sizes) {
        const std::vector<Tensor> plain = row.inputs(n, dtype);
        Array want = expected(row, plain);
        for (const Layout layout : all_layouts) {
          const std::vector<Tensor> in = laid_out(plain, layout);
          if (layout == Layout::expanded || layout == Layout::overlapping) want = expected(row, in);  // other values
          const Verdict verdict = judge(call(row, in), want, row.measure);
          CHECK_MESSAGE(verdict.passed(), row.name(), " ", to_string(dtype), " n=", n, " ", to_string(layout), ": ",
                        verdict.text);
        }
      }
  });
}

TEST_CASE("ops: decompositions agree with themselves in f64") {
  for_each_row(has_decomposition, [](const Row& row) {
    for (const DType dtype : row.dtypes)
      for (const Layout layout : {Layout::contiguous, Layout::strided}) {
        const std::vector<Tensor> in = laid_out(row.inputs(medium(row), dtype), layout);
        const Verdict verdict = judge(row.op->decompose({row.attrs.get(), in})[0], expected(row, in), row.measure);
        CHECK_MESSAGE(verdict.passed(), row.name(), " ", to_string(dtype), " ", to_string(layout), ": ", verdict.text);
      }
  });
}

TEST_CASE("ops: fused kernels run where they should") {
  const std::unique_ptr<Context> context = make_context(1);
  const ContextScope scope(*context);
  std::vector<std::string> fallbacks;
  context->set_fallback_policy([&](std::string_view op) { fallbacks.emplace_back(op); });
  for_each_row(has_decomposition, [&](const Row& row) {
    call(row, row.inputs(medium(row), DType::f32));
    const std::set<std::string> without_kernel = {"log_softmax", "conv2d", "cross_entropy", "softplus"};
    const bool two_sided = row.name().find("two-sided chunks") != std::string::npos;
    const bool other_dim = row.op->name == "softmax" && row.label != "last";
    const bool expects_kernel = !without_kernel.count(std::string(row.op->name)) && !two_sided && !other_dim;
    CHECK_MESSAGE(fallbacks.empty() == expects_kernel, row.name());
  });
}

TEST_CASE("ops: gradients agree with central differences in f64") {
  static const std::unique_ptr<Context> context = make_context(1);
  const ContextScope scope(*context);
  for_each_row(has_gradient, [](const Row& row) {
    // Every element costs two evaluations: 3 will do where the row can be of any size.
    const std::int64_t n = row.sizes.size() > 1 && row.sizes.front() <= 1 ? 3 : smallest(row);
    if (n > 33) return;
    const std::vector<Tensor> in = tracked(row, row.inputs(n, DType::f64), is_f64);
    const auto f = [&](std::span<const Tensor> at) { return dispatch(*row.op, row.attrs.get(), at)[0]; };
    const double error = gradient_error(f, in);
    CHECK_MESSAGE(error <= 1e-6, row.name(), " n=", n, ": ", error);
  });
}

TEST_CASE("ops: gradients of the kernel path agree with those in f64") {
  for_each_row(has_gradient, [](const Row& row) {
    for (const DType dtype : row.dtypes) {
      if (!is_floating(dtype)) continue;
      const std::vector<Tensor> in = row.inputs(medium(row), dtype);
      const std::vector<Tensor> want = gradients(row, widened(in));
      const std::vector<Tensor> got = gradients(row, in);
      for (std::size_t i = 0; i < got.size(); ++i) {
        CHECK_MESSAGE(got[i].defined() == want[i].defined(), row.name(), " input ", i);
        if (!got[i].defined()) continue;
        CHECK_MESSAGE(got[i].dtype() == in[i].dtype(), row.name(), " input ", i, " is ", to_string(in[i].dtype()),
                      ", its gradient ", to_string(got[i].dtype()));
        // In the halves every step of a gradient is rounded, which no bar for one op can foresee.
        if (is_half(dtype) || is_half(in[i].dtype())) continue;
        const DType bar = dtype == DType::f32 ? dtype : in[i].dtype();
        const Verdict verdict = judge(got[i], Array(want[i]), Measure::normalised, bar);
        CHECK_MESSAGE(verdict.passed(), row.name(), " ", to_string(dtype), " input ", i, ": ", verdict.text);
      }
    }
  });
}

TEST_CASE("ops: a replayed trace gives the bits of eager execution") {
  for_each_row(every, [](const Row& row) {
    const auto primitive = [](const OpDef& op) { return op.decompose == nullptr; };
    for (const DType dtype : row.dtypes) {
      const std::vector<Tensor> all = row.inputs(medium(row), dtype);
      std::vector<OutputSpec> specs;
      std::vector<Tensor> in;
      for (const Tensor& t : all)
        if (t.defined()) {
          in.push_back(t);
          specs.push_back({t.shape(), t.dtype()});
        }
      const graph::Graph recorded = graph::trace(
          [&](std::span<const Tensor> given) {
            std::vector<Tensor> arguments;
            for (const Tensor& t : all) arguments.push_back(t.defined() ? given[0] : Tensor());
            std::size_t next = 0;
            for (Tensor& t : arguments)
              if (t.defined()) t = given[next++];
            return std::vector<Tensor>{call(row, arguments)};
          },
          specs);
      CHECK(recorded.nodes.size() == 1);
      CHECK_MESSAGE(same_bits(graph::run(recorded, in)[0], call(row, all)), row.name(), " ", to_string(dtype));

      const graph::Graph opened = graph::expand(recorded, primitive);
      for (const graph::Node& node : opened.nodes) CHECK_MESSAGE(primitive(*node.op), node.op->name);
      const Verdict verdict = judge(graph::run(opened, in)[0], expected(row, all), row.measure);
      CHECK_MESSAGE(verdict.passed(), row.name(), " ", to_string(dtype), " opened: ", verdict.text);
    }
  });
}

TEST_CASE("ops: one thread and two threads give the same bits") {
  static const std::unique_ptr<Context> one = make_context(1);
  static const std::unique_ptr<Context> two = make_context(2);
  for_each_row(every, [&](const Row& row) {
    // Enough elements that the work is split, where the row can be of any size.
    const std::int64_t n = row.sizes == all_sizes ? 16411 : largest(row);
    for (const DType dtype : row.dtypes) {
      const auto run_in = [&](Context& context) {
        const ContextScope scope(context);
        return call(row, row.inputs(n, dtype));
      };
      CHECK_MESSAGE(same_bits(run_in(*one), run_in(*two)), row.name(), " ", to_string(dtype));
    }
  });
}
