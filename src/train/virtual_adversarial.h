// Virtual adversarial training (Miyato et al. 2018) in DeBERTa's scale-invariant form (He et al. 2021): predictions
// should not move when embeddings are pushed where it hurts most.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "../weights/safetensors.h"

namespace trustformers {

/// A model from embeddings [B, L, D] to scores [..., C].
using LogitsOfEmbeddings = std::function<Tensor(const Tensor& embeddings)>;

struct AdversarialOptions {
  double noise = 1e-2;      // standard deviation of the first perturbation
  double step_size = 1e-1;  // length of an ascent step, for each text [L, D]
  double radius = 1;        // largest length of a text's perturbation
  int steps = 1;
};

/// Embeddings with mean 0 and variance 1 over the features: what is perturbed, so that the radius means the same for
/// every model and every word: [..., D] -> [..., D].
Tensor normalized_embeddings(const Tensor& embeddings);

/// mean over rows of KL(p || q) + KL(q || p), p and q the softmax of logits [..., C].
Tensor symmetric_divergence(const Tensor& p_logits, const Tensor& q_logits);

/// The perturbation [B, L, D] that `steps` of gradient ascent on symmetric_divergence(clean, perturbed) find, starting
/// from noise: d <- project(d + step_size · g / |g|), lengths taken over each text. Constant: no gradient flows, and
/// `parameters`, those of the model, neither get gradients from the search nor lose those they have.
Tensor adversarial_perturbation(const Tensor& embeddings, const LogitsOfEmbeddings& model,
                                std::span<const NamedTensor> parameters, const AdversarialOptions& options,
                                std::uint64_t seed);

/// symmetric_divergence(clean_logits, model(embeddings + perturbation)): added to the task's loss. Gradients reach the
/// model through both.
Tensor virtual_adversarial_loss(const Tensor& clean_logits, const Tensor& embeddings, const LogitsOfEmbeddings& model,
                                std::span<const NamedTensor> parameters, const AdversarialOptions& options,
                                std::uint64_t seed);

}  // namespace trustformers
