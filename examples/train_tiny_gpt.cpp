// Teaches a small GPT-2 one sentence, byte by byte, and lets it say it.
#include <iostream>

#include <trustformers/trustformers.h>

using namespace trustformers;

int main() try {
  const std::string text = "Never odd or even, said the palindrome to the mirror. ";
  const Json config = Json::parse(R"({"model_type": "gpt2", "vocab_size": 128, "n_embd": 64, "n_layer": 2, "n_head": 4,
                                      "n_positions": 64})");
  const auto model = AutoModelForCausalLM::from_config(config, /*seed=*/1, {.parameters = {.trainable = true}});
  const Tensor ids = Tensor::from(std::vector<std::int64_t>(text.begin(), text.end()), {1, std::int64_t(text.size())});

  AdamW optimizer(model.named_parameters(), {.weight_decay = {.value = 0.01, .applies = decays_matrices}});
  const Schedule rate = linear_schedule(3e-3, /*warmup_steps=*/10, /*total_steps=*/120);
  double loss_value = 0;
  for (std::int64_t step = 0; step < 120; ++step) {
    const Tensor loss = model({.input_ids = ids, .labels = ids}).loss;
    optimizer.zero_grad();
    loss.backward();
    clip_grad_norm(model.named_parameters(), 1.0);
    optimizer.step(rate(step));
    loss_value = loss.item();
    if (step % 20 == 0) std::cout << "step " << step << " loss " << loss_value << "\n";
  }

  const auto start = Tensor::from({std::int64_t('N'), std::int64_t('e')}, {1, 2});
  GenerationConfig greedy;
  greedy.max_new_tokens = std::int64_t(text.size()) - 2;
  for (const std::int64_t id : model.generate({.input_ids = start}, greedy).sequences.to_vector<std::int64_t>())
    std::cout << char(id);
  std::cout << "\nfinal loss " << loss_value << "\n";
  return loss_value < 0.1 ? 0 : 1;  // ln(128) = 4.85 at the start
} catch (const Error& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
