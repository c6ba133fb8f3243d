#include "linear.h"

#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"
#include "../ops/matmul/matmul.h"
#include "../ops/shape/shape_ops.h"

namespace trustformers {

Linear::Linear(const Scope& scope, std::int64_t inputs, std::int64_t outputs, bool bias, Stored stored)
    : exact_(scope.options().exact_activations || scope.options().trainable) {
  const bool input_major = stored == Stored::input_major;
  const ParameterOptions& options = scope.options();
  weight_ = scope.get("weight", input_major ? Shape{inputs, outputs} : Shape{outputs, inputs});
  if (bias) bias_ = scope.get("bias", {outputs}, init_zeros);
  if (options.adapter) lora_ = options.adapter->find(scope.path());
  if (!weight_.defined()) return;
  if (lora_) {
    check(lora_.a.size(1) == inputs && lora_.b.size(0) == outputs, ErrorCode::shape_mismatch, "[adapter] ",
          scope.path(), " is [", outputs, ", ", inputs, "], its adapter is ", describe(lora_.b), " x ",
          describe(lora_.a));
    if (options.merge_adapter) {
      const NoGrad no_grad;
      const Tensor product = matmul(lora_.b, lora_.a) * lora_.scale;
      weight_ = cast(weight_, DType::f32) + (input_major ? transpose(product, 0, 1) : product);
      if (options.trainable) weight_.set_requires_grad(true);
      scope.parameters().replace(scope.name("weight"), weight_);
      lora_ = {};
    } else if (options.trainable) {
      // The file's own memory cannot be updated.
      for (Tensor* t : {&lora_.a, &lora_.b}) *t = Tensor::from(t->to_vector<float>(), t->shape());
      lora_.a.set_requires_grad(true);
      lora_.b.set_requires_grad(true);
    }
    if (lora_) {
      scope.parameters().add(scope.name("lora_A.weight"), lora_.a);
      scope.parameters().add(scope.name("lora_B.weight"), lora_.b);
    }
  }
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

Embedding::Embedding(const Scope& scope, std::int64_t rows, std::int64_t width)
    : weight_(scope.get("weight", {rows, width})), name_(scope.name("weight")) {}

Tensor Embedding::operator()(const Tensor& ids) const { return cast(embedding(weight_, ids), DType::f32); }

}  // namespace trustformers
