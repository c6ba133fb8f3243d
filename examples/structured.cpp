// An answer that is JSON by a schema, whatever the model would rather say.
//   example_structured [MODEL]
#include <iostream>

#include <trustformers/trustformers.h>

using namespace trustformers;

int main(int argc, char** argv) try {
  const std::string name = argc > 1 ? argv[1] : "smollm2";
  const auto tokenizer = AutoTokenizer::from_pretrained(name);
  const auto model = AutoModelForCausalLM::from_pretrained(name);
  const Json messages = Json::Array{chat_message("user", "Describe Paris as JSON.")};
  GenerationConfig config = model.generation_config();
  config.max_new_tokens = 80;
  constrain(config, tokenizer.tokenizer(), Grammar::json_schema(R"({
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 20}, "capital": {"type": "boolean"},
                   "rivers": {"type": "array", "items": {"enum": ["Seine", "Loire", "Rhône"]}, "maxItems": 1}},
    "required": ["city", "capital"],
    "additionalProperties": false})"));
  TextStreamer answer(tokenizer, nullptr);
  model.generate(tokenizer.apply_chat_template(messages), config, answer);
  const Json city = Json::parse(answer.text());
  std::cout << city.dump() << "\n";
} catch (const Error& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
