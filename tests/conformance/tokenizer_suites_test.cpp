// Suites that others wrote, where they lie beside the checkout (../shared/conformance) or where
// TRUSTFORMERS_CONFORMANCE says: vocabularies of llama.cpp with their texts and ids, chat templates of huggingface.js
// rendered by Jinja2.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "models/gguf_tokenizer.h"
#include "tokenizers/jinja/interpreter.h"
#include "tokenizers/jinja/parser.h"

namespace {

namespace fs = std::filesystem;
using namespace trustformers;

/// The folder of a suite, or an empty path.
fs::path suite(const char* name) {
  const char* const given = std::getenv("TRUSTFORMERS_CONFORMANCE");
  const fs::path root =
      given ? fs::path(given) : fs::path(TRUSTFORMERS_TEST_DATA).parent_path().parent_path() / "shared" / "conformance";
  const fs::path folder = root / name;
  if (fs::is_directory(folder)) return folder;
  MESSAGE("the suite is not on this machine: ", folder.string());
  return {};
}

std::string render(const std::string& source, const Json& variables) {
  const jinja::Block block = jinja::Parser(source).parse();
  std::vector<std::pair<std::string, jinja::Value>> values;
  for (const auto& [name, value] : variables.as_object()) values.emplace_back(name, jinja::Value::from_json(value));
  std::tm now{};
  now.tm_year = 125, now.tm_mon = 6, now.tm_mday = 10;  // the day on which they were rendered
  return jinja::Interpreter({}, now).render(block, values);
}

std::vector<std::string> texts_of(const fs::path& path) {
  constexpr std::string_view separator = "\n__ggml_vocab_test__\n";
  std::string all = read_text_file(path);
  std::vector<std::string> texts;
  for (std::size_t at = 0;;) {
    const std::size_t end = all.find(separator, at);
    texts.push_back(all.substr(at, end - at));
    if (end == std::string::npos) return texts;
    at = end + separator.size();
  }
}

}  // namespace

TEST_CASE("tokenizers: llama.cpp's vocabularies give the ids of their files") {
  const fs::path folder = suite("tokenizer-vocabs");
  if (folder.empty()) return;
  std::size_t compared = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".gguf") continue;
    const std::string file = entry.path().string();
    const Tokenizer tokenizer = open_tokenizer(entry.path());
    const std::vector<std::string> texts = texts_of(file + ".inp");
    std::istringstream lines(read_text_file(file + ".out"));
    for (const std::string& text : texts) {
      std::string line;
      if (!std::getline(lines, line)) break;
      std::istringstream numbers(line);
      std::vector<TokenId> expected;
      for (TokenId id = 0; numbers >> id;) expected.push_back(id);
      CAPTURE(file);
      CAPTURE(text);
      CHECK(tokenizer.encode(text, {.add_special_tokens = false, .parse_special_tokens = false}).ids == expected);
      ++compared;
    }
  }
  CHECK(compared > 200);
}

TEST_CASE("tokenizers: the whole RWKV world vocabulary reads, and texts come back") {
  const fs::path folder = suite("tokenizer-vocabs");
  if (folder.empty()) return;
  const Tokenizer tokenizer = Tokenizer::from_rwkv_world(read_text_file(folder / "rwkv_vocab_v20230424.txt"));
  CHECK(tokenizer.vocab_size() == 65530);
  for (const std::string& text : texts_of(folder / "ggml-vocab-gpt-2.gguf.inp"))
    CHECK(tokenizer.decode(tokenizer.encode(text).ids) == text);
}

TEST_CASE("tokenizers: real chat templates render byte for byte as Jinja2 renders them") {
  const fs::path folder = suite("chat-templates");
  if (folder.empty()) return;
  const Json cases = Json::parse(read_text_file(folder / "cases.json"), "cases.json");
  CHECK(cases.size() == 36);
  for (const Json& row : cases.as_array()) {
    CAPTURE(row.at("name").as_string());
    const Json& variables = row.at("data");
    const std::string& source = row.at("chat_template").as_string();
    CHECK(render(source, variables) == row.at("expected").as_string());
  }
}
