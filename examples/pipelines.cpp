// Pipelines by the name of their task: a streamed text, and sentences by how alike they are.
//   pipelines [GENERATOR] [ENCODER]
#include <exception>
#include <iostream>

#include <trustformers/trustformers.h>

using namespace trustformers;

int main(int argc, char** argv) try {
  const auto write = pipeline("text-generation", argc > 1 ? argv[1] : "smollm2");
  auto stream = write.stream(Json::Array{chat_message("user", "Name a colour.")},
                             Json::parse(R"({"max_new_tokens": 30, "do_sample": false})"));
  while (const auto piece = stream.next()) std::cout << *piece << std::flush;

  const auto alike = pipeline("sentence-similarity", argc > 2 ? argv[2] : "minilm");
  const Json scores = alike(Json::parse(
      R"({"source_sentence": "A cat sits on the mat.", "sentences": ["A kitten rests.", "Stocks fell."]})"));
  std::cout << "\n" << scores.dump() << "\n";  // the first is larger
  return scores.as_array()[0].as_double() > scores.as_array()[1].as_double() ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
