// Several conversations at once: each joins a running batch, is streamed and leaves when it is done.
//   example_batch [MODEL]
#include <iostream>
#include <map>

#include <trustformers/trustformers.h>

using namespace trustformers;

int main(int argc, char** argv) try {
  const std::string name = argc > 1 ? argv[1] : "smollm2";
  const auto tokenizer = AutoTokenizer::from_pretrained(name);
  const auto model = AutoModelForCausalLM::from_pretrained(name);
  ContinuousBatch batch(model.model());
  std::map<std::uint64_t, TextStreamer> answers;
  for (const char* country : {"France", "Italy", "Japan"}) {
    const Json messages = Json::Array{chat_message("user", std::string("What is the capital of ") + country + "?")};
    GenerationConfig config = model.generation_config();  // each request has its own
    config.max_new_tokens = 24;
    const auto prompt = tokenizer.apply_chat_template(messages).input_ids.to_vector<std::int64_t>();
    answers.try_emplace(batch.add(prompt, config), tokenizer, nullptr);
  }
  while (!batch.idle())
    for (const RequestEvent& event : batch.step()) {
      TextStreamer& answer = answers.at(event.request);
      if (event.token) answer.put(*event.token);
      if (!event.end) continue;
      answer.end();
      std::cout << event.request << ": " << answer.text() << "\n";
    }
} catch (const Error& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
