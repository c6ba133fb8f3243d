// One question to a chat model: example_chat MODEL QUESTION
#include <iostream>

#include <trustformers/trustformers.h>

using namespace trustformers;

int main(int argc, char** argv) try {
  const std::string name = argc > 1 ? argv[1] : "smollm2";
  const auto tokenizer = AutoTokenizer::from_pretrained(name);
  const auto model = AutoModelForCausalLM::from_pretrained(name);
  const Json messages = Json::Array{chat_message("user", argc > 2 ? argv[2] : "What is the capital of France?")};
  GenerationConfig config = model.generation_config();
  config.max_new_tokens = 100;
  TextStreamer streamer(tokenizer, [](std::string_view piece) { return bool(std::cout << piece << std::flush); });
  model.generate(tokenizer.apply_chat_template(messages), config, streamer);
  std::cout << "\n";
} catch (const Error& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
