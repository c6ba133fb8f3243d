// The ops that the C interface runs by name: the public functions of src/ops, and what PyTorch's users expect beside
// them, composed of those.
#pragma once

#include <span>
#include <string_view>

#include "options.h"

namespace trustformers::capi {

struct OpArguments {
  std::span<const Tensor> in;  // entries may be undefined
  const Options& options;
  std::string_view name;

  /// Input `i`, undefined when it was not given.
  Tensor at(std::size_t i) const { return i < in.size() ? in[i] : Tensor(); }
};

struct NamedOp {
  std::string_view name;
  std::size_t least, most;      // inputs; the first `least` must be defined
  std::string_view attributes;  // names divided by blanks
  Tensor (*run)(const OpArguments& a);
};

inline constexpr std::size_t any_number = 64;

/// Sorted by name.
std::span<const NamedOp> named_ops();
/// Errors: not_found.
const NamedOp& find_op(std::string_view name);

}  // namespace trustformers::capi
