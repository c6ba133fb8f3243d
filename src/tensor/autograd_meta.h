// The gradient side of a tensor, and the tape's node as the tensor room sees it.
#pragma once

#include <memory>

#include "tensor.h"

namespace trustformers {

/// One recorded op; autograd/ knows what is inside.
struct GradNode {
  virtual ~GradNode() = default;
};

struct AutogradMeta {
  bool requires_grad = false;  // a leaf whose gradient is wanted
  Tensor grad;
  std::shared_ptr<GradNode> node;  // what made this tensor; null for leaves
  int output = 0;                  // which of the node's outputs this is
};

/// The tensor's meta, made when absent.
AutogradMeta& autograd_meta(const Tensor& tensor);

}  // namespace trustformers
