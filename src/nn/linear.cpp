#include "linear.h"

#include <array>

#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"
#include "../ops/matmul/matmul.h"
#include "../ops/shape/shape_ops.h"

namespace trustformers {
namespace {

/// Readies an adapter of a layer with `inputs` and `outputs`, whose weight lies as [inputs, outputs] when
/// `input_major`: merged into the weight, or registered beside it under `names`, as the options of `scope` say.
void put_beside(const Scope& scope, Tensor& weight, LoraWeights& lora, std::int64_t inputs, std::int64_t outputs,
                bool input_major, const std::array<std::string_view, 2>& names) {
  check(lora.a.size(1) == inputs && lora.b.size(0) == outputs, ErrorCode::shape_mismatch, "[adapter] ", scope.path(),
        " has ", inputs, " inputs and ", outputs, " outputs, its adapter is ", describe(lora.b), " x ",
        describe(lora.a));
  const ParameterOptions& options = scope.options();
  if (options.merge_adapter) {
    const NoGrad no_grad;
    const Tensor product = matmul(lora.b, lora.a) * lora.scale;
    weight = cast(weight, DType::f32) + (input_major ? transpose(product, 0, 1) : product);
    if (options.trainable) weight.set_requires_grad(true);
    scope.parameters().replace(scope.name("weight"), weight);
    lora = {};
    return;
  }
  if (options.trainable) {
    // The file's own memory cannot be updated.
    for (Tensor* t : {&lora.a, &lora.b}) {
      *t = Tensor::from(t->to_vector<float>(), t->shape());
      t->set_requires_grad(true);
    }
  }
  scope.parameters().add(scope.name(names[0]), lora.a);
  scope.parameters().add(scope.name(names[1]), lora.b);
}

}  // namespace

Linear::Linear(const Scope& scope, std::int64_t inputs, std::int64_t outputs, bool bias, Stored stored)
    : exact_(scope.options().exact_activations || scope.options().trainable) {
  const bool input_major = stored == Stored::input_major;
  const ParameterOptions& options = scope.options();
  weight_ = scope.get("weight", input_major ? Shape{inputs, outputs} : Shape{outputs, inputs});
  if (bias) bias_ = scope.get("bias", {outputs}, init_zeros);
  if (options.adapter) lora_ = options.adapter->find(scope.path());
  if (!weight_.defined()) return;
  if (lora_) put_beside(scope, weight_, lora_, inputs, outputs, input_major, {"lora_A.weight", "lora_B.weight"});
  if (input_major) weight_ = transpose(weight_, 0, 1);
  scope.parameters().prepack(scope.name("weight"), weight_);
}

Linear Linear::tied(const Scope& scope, const Tensor& table, const std::string& table_name, const Tensor& bias) {
  Linear out;
  out.weight_ = table;
  out.bias_ = bias;
  out.exact_ = scope.options().exact_activations || scope.options().trainable;
  scope.parameters().prepack(table_name, table);
  return out;
}

Tensor Linear::operator()(const Tensor& x) const {
  const Tensor y = linear(x, weight_, bias_, exact_);
  return lora_ ? y + linear(linear(x, lora_.a), lora_.b) * lora_.scale : y;
}

Embedding::Embedding(const Scope& scope, std::int64_t rows, std::int64_t width, std::optional<std::int64_t> padding)
    : weight_(scope.get("weight", {rows, width})), name_(scope.name("weight")), padding_(padding) {
  const ParameterOptions& options = scope.options();
  if (options.adapter) lora_ = options.adapter->find_embedding(scope.path());
  if (lora_ && weight_.defined())
    put_beside(scope, weight_, lora_, rows, width, true, {"lora_embedding_A", "lora_embedding_B"});
}

Tensor Embedding::operator()(const Tensor& ids) const {
  const Tensor x = cast(rows_of(weight_, ids), DType::f32);
  return lora_ ? x + linear(rows_of(transpose(lora_.a, 0, 1), ids), lora_.b) * lora_.scale : x;
}

Tensor Embedding::rows_of(const Tensor& table, const Tensor& ids) const {
  Tensor x = embedding(table, ids);
  if (!padding_ || !x.requires_grad()) return x;
  return where(unsqueeze(equal(ids, static_cast<double>(*padding_)), -1), x.detach(), x);
}

}  // namespace trustformers
