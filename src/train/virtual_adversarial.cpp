#include "virtual_adversarial.h"

#include "../ops/elementwise/binary.h"
#include "../ops/elementwise/unary.h"
#include "../ops/norm/norm.h"
#include "../ops/reduce/reduce.h"
#include "../tensor/op.h"

namespace trustformers {
namespace {

/// Euclidean lengths of texts [B, L, D]: [B, 1, 1], never 0.
Tensor lengths(const Tensor& x) { return sqrt(maximum(sum(x * x, {1, 2}, true), Tensor::full({}, 1e-30, x.dtype()))); }

/// While one lives, the parameters are constants.
class Frozen {
 public:
  explicit Frozen(std::span<const NamedTensor> parameters) {
    for (const NamedTensor& p : parameters)
      if (p.tensor.defined() && p.tensor.requires_grad()) thawed_.push_back(p.tensor);
    for (Tensor& t : thawed_) t.set_requires_grad(false);
  }
  ~Frozen() {
    for (Tensor& t : thawed_) t.set_requires_grad(true);
  }
  Frozen(const Frozen&) = delete;
  Frozen& operator=(const Frozen&) = delete;

 private:
  std::vector<Tensor> thawed_;
};

}  // namespace

Tensor normalized_embeddings(const Tensor& embeddings) { return layer_norm(embeddings, Tensor(), Tensor(), 1e-7); }

Tensor symmetric_divergence(const Tensor& p_logits, const Tensor& q_logits) {
  const Tensor p = log_softmax(p_logits);
  const Tensor q = log_softmax(q_logits);
  // KL(p || q) + KL(q || p) = sum (p - q)(log p - log q)
  return mean(sum((exp(p) - exp(q)) * (p - q), {-1}));
}

Tensor adversarial_perturbation(const Tensor& embeddings, const LogitsOfEmbeddings& model,
                                std::span<const NamedTensor> parameters, const AdversarialOptions& o,
                                std::uint64_t seed) {
  check(embeddings.rank() == 3, ErrorCode::shape_mismatch, "[virtual_adversarial] embeddings must be [B, L, D], got ",
        describe(embeddings));
  check(o.noise > 0 && o.step_size > 0 && o.radius > 0 && o.steps >= 1, ErrorCode::invalid_argument,
        "[virtual_adversarial] noise, step_size, radius and steps must be positive");
  const Frozen frozen(parameters);
  const Tensor x = embeddings.detach();
  Tensor clean;
  {
    const NoGrad quiet;
    clean = model(x);
  }
  Tensor perturbation = Tensor::randn(x.shape(), seed, x.dtype()) * o.noise;
  for (int step = 0; step < o.steps; ++step) {
    Tensor leaf = perturbation.detach();
    leaf.set_requires_grad(true);
    {
      const EnableGrad record;
      symmetric_divergence(clean, model(x + leaf)).backward();
    }
    const NoGrad quiet;
    const Tensor gradient = leaf.grad();
    perturbation = perturbation + gradient / lengths(gradient) * o.step_size;
    const Tensor length = lengths(perturbation);
    perturbation = perturbation * minimum(Tensor::full({}, o.radius, x.dtype()) / length, Tensor::ones({}, x.dtype()));
  }
  return perturbation.detach();
}

Tensor virtual_adversarial_loss(const Tensor& clean_logits, const Tensor& embeddings, const LogitsOfEmbeddings& model,
                                std::span<const NamedTensor> parameters, const AdversarialOptions& options,
                                std::uint64_t seed) {
  const Tensor perturbation = adversarial_perturbation(embeddings, model, parameters, options, seed);
  return symmetric_divergence(clean_logits, model(embeddings + perturbation));
}

}  // namespace trustformers
