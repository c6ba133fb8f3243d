#include "registry.h"

#include "activation/activation.h"
#include "attention/attention.h"
#include "attention/paged_attention.h"
#include "attention/rope.h"
#include "conv/conv.h"
#include "elementwise/binary.h"
#include "elementwise/unary.h"
#include "index/index.h"
#include "loss/loss.h"
#include "matmul/matmul.h"
#include "norm/norm.h"
#include "reduce/reduce.h"
#include "shape/shape_ops.h"

namespace trustformers {

std::span<const OpDef* const> all_ops() {
  static constexpr const OpDef* list[] = {&neg_op,
                                          &abs_op,
                                          &sign_op,
                                          &relu_op,
                                          &exp_op,
                                          &log_op,
                                          &sqrt_op,
                                          &rsqrt_op,
                                          &sin_op,
                                          &cos_op,
                                          &tanh_op,
                                          &sigmoid_op,
                                          &erf_op,
                                          &floor_op,
                                          &affine_op,
                                          &pow_op,
                                          &logical_not_op,
                                          &cast_op,
                                          &add_op,
                                          &sub_op,
                                          &mul_op,
                                          &div_op,
                                          &maximum_op,
                                          &minimum_op,
                                          &equal_op,
                                          &less_op,
                                          &less_equal_op,
                                          &logical_and_op,
                                          &logical_or_op,
                                          &where_op,
                                          &sum_op,
                                          &max_op,
                                          &min_op,
                                          &argmax_op,
                                          &cumsum_op,
                                          &reshape_op,
                                          &permute_op,
                                          &expand_op,
                                          &slice_op,
                                          &slice_scatter_op,
                                          &concat_op,
                                          &contiguous_op,
                                          &gather_op,
                                          &scatter_add_op,
                                          &embedding_op,
                                          &matmul_op,
                                          &linear_op,
                                          &rms_norm_op,
                                          &layer_norm_op,
                                          &softmax_op,
                                          &log_softmax_op,
                                          &gelu_op,
                                          &silu_op,
                                          &softplus_op,
                                          &swiglu_op,
                                          &geglu_op,
                                          &rope_op,
                                          &attention_op,
                                          &paged_attention_op,
                                          &conv2d_op,
                                          &cross_entropy_op};
  return list;
}

}  // namespace trustformers
