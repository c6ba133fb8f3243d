// Speed of one tokenizer, driven line by line through standard input so that tools/bench_tokenize.py can alternate with
// a peer:
//   trustformers_bench_tokenize TOKENIZER_JSON DOCUMENTS_JSON
// "open" opens the tokenizer anew, "encode" encodes all documents, "hostile" encodes 1 MB of one letter, of combining
// marks and of spaces; each answers with CPU seconds and a count of tokens.
#include <trustformers/trustformers.h>

#include <cstdio>
#include <ctime>
#include <iostream>

#include "base/file.h"

namespace {

using namespace trustformers;

template <class Run>
void measure(const Run& run) {
  const std::clock_t start = std::clock();
  const std::size_t tokens = run();
  std::printf("%.6f %zu\n", static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC, tokens);
  std::fflush(stdout);
}

std::string repeated(std::string_view part, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += part;
  return text;
}

}  // namespace

int main(int count, char** values) {
  if (count != 3) {
    std::fprintf(stderr, "Usage: %s TOKENIZER_JSON DOCUMENTS_JSON\n", values[0]);
    return 2;
  }
  const Json documents = Json::parse(read_text_file(values[2]), "documents");
  const Tokenizer tokenizer = Tokenizer::from_file(values[1]);
  for (std::string command; std::getline(std::cin, command);) {
    if (command == "open") {
      measure([&] { return Tokenizer::from_file(values[1]).vocab_size(); });
    } else if (command == "encode") {
      measure([&] {
        std::size_t tokens = 0;
        for (const Json& document : documents.as_array()) tokens += tokenizer.encode(document.as_string()).size();
        return tokens;
      });
    } else if (command == "hostile") {
      for (const char* const part : {"a", "e\xCC\x81\xCC\x82", " "})
        measure([&] { return tokenizer.encode(repeated(part, 1 << 20)).size(); });
    }
  }
}
