// Speed of structured output as JSON: compiling JSON Schemas and finding token masks, with 128k tokens.
//   trustformers_bench_grammar
// The vocabulary is made up, in the proportions of a byte-level BPE: words with and without a blank before them, in
// three scripts, numbers, punctuation, runs of blanks, single bytes.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <set>

#include "../src/base/json.h"
#include "../src/generation/grammar/matcher.h"

namespace trustformers {
namespace {

constexpr std::size_t vocabulary_size = 128'000;

/// Processor time, as nothing here waits: a busy machine does not change it.
double now() { return static_cast<double>(std::clock()) * 1e3 / CLOCKS_PER_SEC; }
double milliseconds(double since) { return now() - since; }

std::vector<std::string> make_vocabulary() {
  std::set<std::string> tokens;
  for (int b = 0; b < 256; ++b) tokens.insert(std::string(1, static_cast<char>(b)));
  for (int n = 0; n < 1000; ++n) tokens.insert(std::to_string(n));
  for (int n = 2; n < 64; ++n) tokens.insert(std::string(static_cast<std::size_t>(n), ' '));
  std::uint32_t state = 1;
  const auto pick = [&](std::size_t count) {
    state = state * 1664525 + 1013904223;
    return static_cast<std::size_t>(state >> 8) % count;
  };
  const std::string marks = "\"\\{}[]():;,.!?-_/*=<>'";
  while (tokens.size() < 4'000) {
    std::string token;
    for (std::size_t n = 2 + pick(4); n > 0; --n) token += marks[pick(marks.size())];
    tokens.insert(pick(3) == 0 ? " " + token : token);
  }
  static constexpr const char* latin[] = {"a", "e", "i", "o", "u", "b", "c",  "d",  "f",  "g",  "l",  "m",
                                          "n", "p", "r", "s", "t", "v", "th", "er", "in", "on", "st", "é"};
  static constexpr const char* cyrillic[] = {"а", "е", "и", "о", "н", "т", "с", "р", "в", "л", "к", "м"};
  static constexpr const char* han[] = {"的", "一", "是", "不", "了", "人", "我", "在", "有", "他", "这", "中", "大"};
  while (tokens.size() < vocabulary_size) {
    std::string token;
    const std::size_t script = pick(10);
    for (std::size_t n = 1 + pick(script < 7 ? 5 : 4); n > 0; --n)
      token += script < 7 ? latin[pick(24)] : script < 9 ? cyrillic[pick(12)] : han[pick(13)];
    if (script < 7 && pick(4) == 0 && token[0] >= 'a' && token[0] <= 'z') token[0] = static_cast<char>(token[0] - 32);
    tokens.insert(pick(2) == 0 ? " " + token : token);
  }
  return {tokens.begin(), tokens.end()};
}

struct Example {
  const char* name;
  const char* schema;
  const char* text;  // valid
};
constexpr Example examples[] = {
    {"person",
     R"({"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0,
         "maximum": 150}, "email": {"type": "string", "format": "email"}, "tags": {"type": "array", "items":
         {"type": "string"}, "maxItems": 5}}, "required": ["name", "age"], "additionalProperties": false})",
     R"({"name": "Ünal of the long and winding name", "age": 42, "email": "a.b@example.com", "tags": ["x y", "z"]})"},
    {"open object",
     R"({"type": "object", "properties": {"kind": {"enum": ["cat", "dog", "bird"]}, "n": {"type": "number"}},
         "required": ["kind"]})",
     R"({"kind": "dog", "n": 3.25, "free": {"a": [1, 2, {"b": null}], "text": "some words in a row"}})"},
    {"tree",
     R"({"$defs": {"node": {"type": "object", "properties": {"v": {"type": "string", "maxLength": 40}, "kids": {"type":
         "array", "items": {"$ref": "#/$defs/node"}}}, "required": ["v"], "additionalProperties": false}},
         "$ref": "#/$defs/node"})",
     R"({"v": "top of it", "kids": [{"v": "b", "kids": [{"v": "deep inside"}]}, {"v": "c"}]})"},
    {"tool call",
     R"({"oneOf": [{"type": "object", "properties": {"tool": {"const": "search"}, "query": {"type": "string",
         "minLength": 1}}, "required": ["tool", "query"], "additionalProperties": false}, {"type": "object",
         "properties": {"tool": {"const": "open"}, "page": {"type": "integer", "minimum": 1}}, "required": ["tool",
         "page"], "additionalProperties": false}]})",
     R"({"tool": "search", "query": "how do grammars work in detail"})"},
    {"any json", "true", R"({"a": [1, 2.5, {"b": "text with words\n"}], "c": null})"},
};

/// Masks before each byte of the text, and what came before them.
Json measure(const Example& example, const std::shared_ptr<const TokenTrie>& trie) {
  const double start = now();
  auto grammar = std::make_shared<const Grammar>(Grammar::json_schema(example.schema));
  const double automata = milliseconds(start);
  const auto masks = std::make_shared<TokenMasks>(grammar, trie);
  masks->warm_up();
  const double compile = milliseconds(start);
  std::vector<double> times;
  std::vector<std::uint64_t> bits;
  GrammarMatcher matcher(masks);
  bool accepted = true;
  for (const char* c = example.text; accepted; ++c) {
    const double before = now();
    matcher.next_tokens(bits);
    times.push_back(milliseconds(before));
    if (*c == '\0') break;
    accepted = matcher.advance({c, 1});
  }
  std::sort(times.begin(), times.end());
  Json out = Json::object();
  out.set("automata_ms", automata);
  out.set("compile_ms", compile);
  out.set("mask_median_ms", times[times.size() / 2]);
  out.set("mask_p99_ms", times[times.size() * 99 / 100]);
  out.set("mask_max_ms", times.back());
  out.set("states", grammar->state_count());
  out.set("accepted", accepted && matcher.complete());
  return out;
}

}  // namespace
}  // namespace trustformers

int main() {
  using namespace trustformers;
  const std::vector<std::string> tokens = make_vocabulary();
  const double start = now();
  const auto trie = std::make_shared<const TokenTrie>(tokens);
  Json out = Json::object();
  out.set("tokens", tokens.size());
  out.set("trie_nodes", trie->nodes().size());
  out.set("trie_ms", milliseconds(start));
  for (const Example& example : examples) out.set(example.name, measure(example, trie));
  std::printf("%s\n", out.dump(1).c_str());
}
