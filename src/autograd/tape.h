// Reverse-mode differentiation: the observer of dispatch that records ops and walks them backward.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "../tensor/op.h"

namespace trustformers {

/// The tape of a Context.
std::unique_ptr<TapeRecorder> make_tape();

/// Runs `body` without keeping what happens inside, and runs it again when gradients come (Chen et al. 2016): memory
/// for time. Gradients reach the inputs and every leaf that the body uses. The body must compute the same both times.
Tensors checkpoint(std::function<Tensors(std::span<const Tensor>)> body, std::span<const Tensor> inputs);

}  // namespace trustformers
