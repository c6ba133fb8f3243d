#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "base/json.h"
#include "generation/grammar/matcher.h"
#include "generation/grammar/regex.h"
#include "generation/processors/grammar_constraint.h"

using namespace trustformers;

namespace {

/// Every byte, and some longer tokens that cut JSON and words in odd places.
std::vector<std::string> vocabulary() {
  std::vector<std::string> out;
  for (int b = 0; b < 256; ++b) out.emplace_back(1, static_cast<char>(b));
  for (const char* text :
       {"\",", "\":",  "\"}",  "{\"", "}}",  "]}",  " a", "ab", "abc", "\xC3\xA9", "a\xC3",  "\xA9\"", "12",
        "0.5", "true", "null", ",\"", "\\n", "e\"", "::", "",   "[[",  "{\"a\":",  "\": \"", "1}",     "hello"})
    out.emplace_back(text);
  return out;
}

std::shared_ptr<TokenMasks> masks_of(Grammar grammar) {
  static const auto trie = std::make_shared<const TokenTrie>(vocabulary());
  return std::make_shared<TokenMasks>(std::make_shared<const Grammar>(std::move(grammar)), trie);
}

bool accepts(const std::shared_ptr<TokenMasks>& masks, std::string_view text) {
  GrammarMatcher matcher(masks);
  return matcher.advance(text) && matcher.complete();
}

bool bit(const std::vector<std::uint64_t>& bits, std::size_t i) { return (bits[i / 64] >> (i % 64) & 1) != 0; }

std::string refusal_of(std::string_view schema) {
  try {
    Grammar::json_schema(schema);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::unsupported);
    return error.message();
  }
  return "";
}

const char* const schemas[] = {
    R"({"type": "object", "properties": {"a": {"type": "integer", "minimum": -5, "maximum": 12}, "é": {"type": "string",
        "maxLength": 3}}, "required": ["a"], "additionalProperties": {"type": "boolean"}})",
    R"({"$defs": {"n": {"type": "array", "items": {"$ref": "#/$defs/n"}, "maxItems": 3}}, "$ref": "#/$defs/n"})",
    R"({"oneOf": [{"properties": {"t": {"const": "x"}, "v": {"type": "number"}}, "required": ["t", "v"]},
                  {"properties": {"t": {"const": "y"}}, "required": ["t"]}], "type": "object"})",
    R"({"type": "array", "items": {"enum": ["a", "ab", 1]}, "uniqueItems": true, "minItems": 2})", "true"};

}  // namespace

TEST_CASE("generation: regular expressions match what ECMA-262 says") {
  const auto whole = [](std::string_view pattern, std::string_view text) {
    return regex_language(pattern, RegexMatch::whole).accepts(text);
  };
  const auto inside = [](std::string_view pattern, std::string_view text) {
    return regex_language(pattern, RegexMatch::somewhere).accepts(text);
  };
  CHECK(whole("a(b|c)*d{2,3}", "abcbdd"));
  CHECK_FALSE(whole("a(b|c)*d{2,3}", "abd"));
  CHECK(whole("^[^a-c\\d]+$", "xyzé"));
  CHECK_FALSE(whole("[^a-c\\d]+", "x1"));
  CHECK(whole("\\u00e9\\x41[\\]\\-]", "éA-"));
  CHECK(whole(".", "😀"));
  CHECK_FALSE(whole(".", "\n"));
  CHECK(inside("b+", "abbc"));
  CHECK_FALSE(inside("^b", "ab"));
  CHECK(inside("(^|x)b$", "axb"));
  CHECK_FALSE(inside("(^|x)b$", "ab"));
  CHECK_FALSE(regex_language("a", RegexMatch::somewhere).accepts("a\xFF"));  // not UTF-8
  for (const char* pattern : {"a(?=b)", "(a)\\1", "\\bword", "\\p{L}"}) {
    CAPTURE(pattern);
    CHECK_THROWS_AS(regex_language(pattern, RegexMatch::whole), Error);
  }
  for (const char* pattern : {"(a", "a)", "*a", "[b-a]", "a{2,1}", "\\"}) {
    CAPTURE(pattern);
    CHECK_THROWS_AS(regex_language(pattern, RegexMatch::whole), Error);
  }
  CHECK_THROWS_AS(Grammar::regex("((((a{1000}){1000}){1000}))"), Error);  // bounded, whatever is asked for
}

TEST_CASE("generation: GBNF grammars read as llama.cpp reads them") {
  const auto masks = masks_of(Grammar::gbnf(R"GBNF(# sums
root ::= term (op term)*   # the start
op   ::= [+\-] | " " op " "
term ::= [0-9]{1,3} |
         "(" (root
         ")")
)GBNF"));
  CHECK(accepts(masks, "1+22-(333 + 4)"));
  CHECK_FALSE(accepts(masks, "1+2222"));
  CHECK_FALSE(accepts(masks, "(1"));
  const auto fails = [](std::string_view text) { CHECK_THROWS_AS(Grammar::gbnf(text), Error); };
  fails("root ::= missing");
  fails("root ::= root \"a\" | \"b\"");  // calls itself before it reads
  fails("root ::= e root | \"b\"\ne ::= \"a\"?");
  fails("root ::= \"a");
  fails("root ::= x\nx ::= \"a\" x");  // can never be finished
}

TEST_CASE("generation: choices accept their texts alone") {
  const std::vector<std::string> texts = {"yes", "yesterday", "no"};
  const auto masks = masks_of(Grammar::choices(texts));
  for (const std::string& text : texts) CHECK(accepts(masks, text));
  for (const char* text : {"", "ye", "yester", "noo"}) CHECK_FALSE(accepts(masks, text));
}

TEST_CASE("generation: a token's bit is set exactly when the text goes on with its bytes") {
  const std::vector<std::string> tokens = vocabulary();
  std::uint32_t state = 3;
  for (const char* schema : schemas) {
    CAPTURE(schema);
    const auto masks = masks_of(Grammar::json_schema(schema));
    std::vector<std::uint64_t> bits;
    for (int round = 0; round < 12; ++round) {
      GrammarMatcher matcher(masks);
      for (int step = 0; step < 40; ++step) {
        matcher.next_tokens(bits);
        std::vector<std::size_t> allowed;
        for (std::size_t i = 0; i < tokens.size(); ++i) {
          GrammarMatcher next = matcher;
          const bool expected = !tokens[i].empty() && next.advance(tokens[i]);
          CHECK(bit(bits, i) == expected);
          if (expected) allowed.push_back(i);
        }
        // Never stuck: something may come, or the text is complete.
        CHECK((matcher.complete() || !allowed.empty()));
        if (allowed.empty()) break;
        state = state * 1664525 + 1013904223;
        CHECK(matcher.advance(tokens[allowed[(state >> 8) % allowed.size()]]));
      }
    }
  }
}

TEST_CASE("generation: the language does not depend on how tokens cut the text") {
  const auto masks = masks_of(Grammar::json_schema(schemas[0]));
  const std::string text = R"({"a": 12, "é": "ab", "hello":true})";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    GrammarMatcher matcher(masks);
    CHECK((matcher.advance(text.substr(0, cut)) && matcher.advance(text.substr(cut)) && matcher.complete()));
  }
}

TEST_CASE("generation: every cut of every text into tokens is read alike") {
  // Texts that walks through the grammars give, cut at random.
  std::uint32_t state = 11;
  const auto random = [&](std::size_t bound) {
    state = state * 1664525 + 1013904223;
    return static_cast<std::size_t>(state >> 8) % bound;
  };
  for (const char* schema : schemas) {
    CAPTURE(schema);
    const auto masks = masks_of(Grammar::json_schema(schema));
    std::vector<std::uint64_t> bits, other;
    for (int round = 0; round < 20; ++round) {
      GrammarMatcher bytewise(masks);
      std::string text;
      for (int step = 0; step < 30; ++step) {
        bytewise.next_tokens(bits);
        std::vector<std::size_t> allowed;
        for (std::size_t b = 0; b < 256; ++b)  // single bytes are the first tokens
          if (bit(bits, b)) allowed.push_back(b);
        if (allowed.empty()) break;
        const char c = static_cast<char>(allowed[random(allowed.size())]);
        REQUIRE(bytewise.advance({&c, 1}));
        text += c;
      }
      GrammarMatcher cut(masks);
      for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = std::min(1 + random(6), text.size() - at);
        REQUIRE(cut.advance(std::string_view(text).substr(at, length)));
        at += length;
      }
      CHECK(cut.complete() == bytewise.complete());
      cut.next_tokens(bits);
      bytewise.next_tokens(other);
      CHECK(bits == other);
    }
  }
}

TEST_CASE("generation: patterns and schemas made to be slow or large are read or refused in time") {
  std::string nested = "a";
  for (int i = 0; i < 60; ++i) nested = "(" + nested + "|" + nested.substr(0, 8) + ")*";
  const std::vector<std::string> patterns = {"(a+)+$",
                                             "(a|a)*b",
                                             "(.*)*x",
                                             "(a{1,4096}){1,4096}",
                                             "(.*a.{4000})",
                                             "(a?){4096}a{4096}",
                                             "((((a{9}){9}){9}){9}){9}",
                                             "[^a]*[^b]*[^c]*[^d]*[^e]*x{3000}",
                                             "(x|xy|xyz|.)*{1,9}",
                                             nested};
  for (const std::string& pattern : patterns) {
    CAPTURE(pattern.substr(0, 60));
    const auto start = std::chrono::steady_clock::now();
    try {
      const auto masks = masks_of(Grammar::regex(pattern));
      GrammarMatcher matcher(masks);
      std::vector<std::uint64_t> bits;
      matcher.advance(std::string(2000, 'a'));
      matcher.next_tokens(bits);
    } catch (const Error& error) {
      CHECK((error.code() == ErrorCode::unsupported || error.code() == ErrorCode::parse));
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    CHECK(seconds.count() < 20);  // of an unbounded search: hours
  }
  std::string wide = "{\"type\":\"object\",\"properties\":{";
  for (int i = 0; i < 400; ++i)
    wide += str(i == 0 ? "" : ",", "\"p", i, "\":{\"type\":\"string\",\"maxLength\":", 3000 + i, "}");
  const auto start = std::chrono::steady_clock::now();
  CHECK_THROWS_AS(Grammar::json_schema(wide + "}}"), Error);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  CHECK(seconds.count() < 20);
}

TEST_CASE("generation: JSON Schema keywords are enforced") {
  struct Row {
    const char* schema;
    std::vector<const char*> valid, invalid;
  };
  const Row rows[] = {
      {schemas[0],
       {R"({"a":12})", R"({"a": -5, "é": "éàü", "b": true})"},
       {"{}", R"({"a":13})", R"({"a":1.5})", R"({"a":1,"é":"abcd"})", R"({"a":1,"b":1})"}},
      {schemas[1], {"[]", "[[],[[]]]"}, {"[1]", "[[],[],[],[]]"}},
      {schemas[2], {R"({"t":"x","v":1})", R"({"t":"y"})"}, {R"({"t":"x"})", R"({"t":"z"})"}},
      {schemas[3], {R"(["a","ab"])", R"([1,"a"])"}, {R"(["a","a"])", R"(["a"])"}},
      {R"({"multipleOf": 0.25, "exclusiveMinimum": -1, "maximum": 2, "type": "number"})",
       {"-0.75", "0", "1.5", "2"},
       {"-1", "0.3", "2.25", "-0"}},
      {R"({"multipleOf": 7, "type": "integer"})", {"0", "49", "-14"}, {"1", "50"}},
      {R"({"type": "string", "pattern": "^a[\"\\\\]?$", "minLength": 2})",
       {R"("a\"")", R"("a\\")"},
       {R"("a")", R"("ab")"}},
      {R"({"not": {"type": ["string", "number"]}, "type": ["string", "null", "array"]})", {"null", "[1]"}, {R"("a")"}},
      {R"({"if": {"properties": {"k": {"const": 1}}, "required": ["k"]}, "then": {"required": ["x"]}, "type": "object"})",
       {R"({"k":1,"x":0})", R"({"k":2})"},
       {R"({"k":1})"}},
      {R"({"type": "array", "contains": {"type": "null"}, "minContains": 2, "maxContains": 2, "items": {"type": ["null", "boolean"]}})",
       {"[null,true,null]"},
       {"[null]", "[null,null,null]"}},
      {R"({"type": "object", "properties": {"a": true}, "anyOf": [{"properties": {"b": true}, "required": ["b"]}, true], "unevaluatedProperties": false})",
       {R"({"a":1})", R"({"a":1,"b":2})"},
       {R"({"c":1})"}},
      {R"({"type": "string", "format": "date"})", {R"("2024-04-30")"}, {R"("2024-04-31")", R"("24-04-30")"}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.schema);
    const auto masks = masks_of(Grammar::json_schema(row.schema));
    for (const char* text : row.valid) CHECK_MESSAGE(accepts(masks, text), text);
    for (const char* text : row.invalid) CHECK_MESSAGE(!accepts(masks, text), text);
  }
}

TEST_CASE("generation: JSON Schema keywords that cannot be enforced are named") {
  const std::pair<const char*, const char*> rows[] = {
      {R"({"$ref": "http://example.com/other.json"})", "\"$ref\""},
      {R"({"type": "array", "items": {"type": "string"}, "uniqueItems": true})", "\"uniqueItems\""},
      {R"({"format": "iri"})", "\"format\""},
      {R"({"nullable": true})", "\"nullable\""},
      {R"({"not": {"additionalProperties": false}})", "\"additionalProperties\""},
      {R"({"$dynamicRef": "#x", "$defs": {"a": {"$dynamicAnchor": "x"}, "b": {"$dynamicAnchor": "x", "$id": "b"}}})",
       "\"$dynamicRef\""},
  };
  for (const auto& [schema, keyword] : rows) CHECK(refusal_of(schema).find(keyword) != std::string::npos);
  CHECK_THROWS_AS(Grammar::json_schema(R"({"type": "string", "enum": [1]})"), Error);  // nothing is valid
  CHECK_THROWS_AS(Grammar::json_schema(R"({"allOf": [{"$ref": "#"}]})"), Error);       // refers to itself at once
}

TEST_CASE(
    "generation: a constraint leaves allowed tokens, the end where the text is complete, and knows the only one") {
  const std::vector<std::string> texts = {"hello", "hellooo"};
  std::vector<std::string> tokens = {"he", "l", "lo", "o", "hello", "", "x"};
  const auto trie = std::make_shared<const TokenTrie>(tokens);
  const auto masks = std::make_shared<TokenMasks>(std::make_shared<const Grammar>(Grammar::choices(texts)), trie);
  GrammarConstraint constraint(masks, {5});
  std::vector<std::int64_t> ids = {6};
  const auto allowed = [&] {
    RowState row;
    row.ids = ids;
    row.prompt_length = 1;
    std::vector<float> scores(tokens.size(), 0);
    constraint.process(row, scores);
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < scores.size(); ++i)
      if (scores[i] == 0) out.push_back(i);
    return std::pair(out, constraint.forced(row));
  };
  CHECK(allowed().first == std::vector<std::size_t>{0, 4});
  CHECK_FALSE(allowed().second);
  ids.push_back(0);
  CHECK(allowed().first == std::vector<std::size_t>{1});
  CHECK(allowed().second == 1);
  ids.push_back(1);
  CHECK(allowed().first == std::vector<std::size_t>{1, 2});
  ids.push_back(2);
  CHECK(allowed().first == std::vector<std::size_t>{3, 5});  // complete: the end, or more
  ids = {6, 4, 3, 3};                                        // another text, as when beams change places
  CHECK(allowed().first == std::vector<std::size_t>{5});
  ids = {6, 6};
  CHECK_THROWS_AS(allowed(), Error);
  CHECK_THROWS_AS(GrammarConstraint(masks, {}), Error);
}
