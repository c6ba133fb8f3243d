#include "tokenizers/chat_template.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "tokenizers/jinja/interpreter.h"
#include "tokenizers/jinja/parser.h"

using namespace trustformers;

namespace {

Json read_cases(const std::string& name) {
  const auto path = std::filesystem::path(TRUSTFORMERS_TEST_DATA) / "unit" / "tokenizers" / name;
  return Json::parse(read_text_file(path), name);
}

std::tm clock_of_cases() {  // Friday, 26 July 2024, 09:05:03
  std::tm time{};
  time.tm_year = 124, time.tm_mon = 6, time.tm_mday = 26, time.tm_wday = 5, time.tm_yday = 207;
  time.tm_hour = 9, time.tm_min = 5, time.tm_sec = 3;
  return time;
}

// Renders with exactly these variables.
std::string render(const std::string& source, const Json& variables, const std::tm& now,
                   const jinja::Limits& limits = {}) {
  const jinja::Block block = jinja::Parser(source).parse();
  std::vector<std::pair<std::string, jinja::Value>> values;
  for (const auto& [name, value] : variables.as_object()) values.emplace_back(name, jinja::Value::from_json(value));
  return jinja::Interpreter(limits, now).render(block, values);
}

ErrorCode template_code_of(const std::string& source, const jinja::Limits& limits = {}) {
  try {
    render(source, Json::object(), clock_of_cases(), limits);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

std::string template_message_of(const std::string& source) {
  try {
    render(source, Json::object(), clock_of_cases());
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

const Json conversation = Json::parse(R"([{"role": "user", "content": "Hello"}])");

}  // namespace

TEST_CASE("tokenizers: a template renders what Jinja2 renders") {
  const Json cases = read_cases("chat_template_cases.json");
  for (const Json& row : cases.at("cases").as_array()) {
    const std::string& source = row.as_array()[0].as_string();
    CAPTURE(source);
    if (row.size() == 1) {
      CHECK_THROWS_AS(render(source, cases.at("variables"), clock_of_cases()), Error);
    } else {
      std::string text;
      CHECK_NOTHROW(text = render(source, cases.at("variables"), clock_of_cases()));
      CHECK(text == row.as_array()[1].as_string());
    }
  }
}

TEST_CASE("tokenizers: the templates of published models give Jinja2's prompts") {
  // Templates and messages from the tests of huggingface.js (MIT), the texts rendered by Jinja2 on 10 July 2025.
  std::tm now{};
  now.tm_year = 125, now.tm_mon = 6, now.tm_mday = 10, now.tm_wday = 4, now.tm_yday = 190;
  const Json cases = read_cases("chat_template_models.json");
  CHECK(cases.size() == 36);
  for (const Json& row : cases.as_array()) {
    const std::string& name = row.at("name").as_string();
    CAPTURE(name);
    CHECK(render(row.at("chat_template").as_string(), row.at("data"), now) == row.at("expected").as_string());
  }
}

TEST_CASE("tokenizers: apply_chat_template knows tokens, tools, documents and further variables") {
  const auto chat = ChatTemplate::parse(
      "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m['content'] }}{{ eos_token }}\n{% endfor %}"
      "{{ tools|tojson }} {{ documents }} {{ enable_thinking }}"
      "{% if add_generation_prompt %}<assistant>{% endif %}\n");
  ChatTemplateOptions options;
  options.bos_token = "<s>";
  options.eos_token = "</s>";
  options.add_generation_prompt = true;
  options.tools = Json::parse(R"([{"name": "<search>", "n": 1.0}])");
  options.extra = Json::parse(R"({"enable_thinking": false})");
  CHECK(chat.apply(conversation, options) ==
        "<s><user>Hello</s>\n[{\"name\": \"<search>\", \"n\": 1.0}] None False<assistant>");
  CHECK(chat.apply(conversation) == "<user>Hello\nnull None ");
}

TEST_CASE("tokenizers: reasoning is found under each of its names") {
  const auto chat = ChatTemplate::parse("{{ messages[0].reasoning_content }}|{{ messages[0].thinking }}");
  for (const char* name : {"reasoning_content", "thinking", "reasoning"}) {
    Json message = Json::object();
    message.set("role", "assistant");
    message.set(name, "because");
    CHECK(chat.apply(Json(Json::Array{message})) == "because|because");
  }
}

TEST_CASE("tokenizers: one template serves several renderings, and namespaces do not leak between them") {
  const auto chat = ChatTemplate::parse("{% set ns = namespace(n=0) %}{% set ns.n = ns.n + 1 %}{{ ns.n }}");
  CHECK(chat.apply(conversation) == "1");
  CHECK(chat.apply(conversation) == "1");
}

TEST_CASE("tokenizers: errors of a template have their code, their text and their line") {
  CHECK(template_code_of("{{ raise_exception('Roles must alternate') }}") == ErrorCode::invalid_argument);
  CHECK(template_message_of("a\nb{{ raise_exception('Roles must alternate') }}").find("Roles must alternate") !=
        std::string::npos);
  CHECK(template_message_of("a\nb{{ raise_exception('Roles must alternate') }}").find("line 2") != std::string::npos);
  CHECK(template_code_of("{{ missing.role }}") == ErrorCode::invalid_argument);
  CHECK(template_message_of("{{ missing.role }}").find("'missing' is undefined") != std::string::npos);
  CHECK(template_code_of("a\n{% if x %}") == ErrorCode::parse);
  CHECK(template_message_of("a\n{{ 1 + }}").find("line 2") != std::string::npos);
  CHECK(template_message_of("a\n{{ 'never").find("line 2") != std::string::npos);
  CHECK(template_code_of("{% include 'x' %}") == ErrorCode::unsupported);
  CHECK(template_message_of("{% include 'x' %}").find("include") != std::string::npos);
  CHECK(template_code_of("{{ 1|urlize }}") == ErrorCode::unsupported);
  CHECK(template_message_of("{{ 1|urlize }}").find("urlize") != std::string::npos);
  CHECK(template_code_of("{{ 1 is strange }}") == ErrorCode::unsupported);
  CHECK(template_code_of("{{ [].append(1) }}") == ErrorCode::unsupported);
  CHECK(template_code_of("{{ '{:n}'.format(1) }}") == ErrorCode::unsupported);
  CHECK(template_code_of("{{ 9223372036854775807 + 1 }}") == ErrorCode::out_of_range);
  CHECK_THROWS_AS(ChatTemplate::parse("").apply(Json("text")), Error);
  CHECK_THROWS_AS(ChatTemplate::parse("").apply(Json::parse("[1]")), Error);
}

TEST_CASE("tokenizers: an unknown filter matters only where it is reached") {
  CHECK(render("{% if false %}{{ 1|nosuch }}{% endif %}ok", Json::object(), clock_of_cases()) == "ok");
}

TEST_CASE("tokenizers: a template that runs away is stopped") {
  const std::string loops =
      "{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}"
      "{% endfor %}{% endfor %}{% endfor %}";
  CHECK(template_code_of(loops, {.steps = 100000}) == ErrorCode::out_of_range);
  CHECK(template_code_of("{{ 'x' * 100000 }}", {.output = 1000}) == ErrorCode::out_of_range);
  CHECK(template_code_of("{{ ('x' * 9000000000000)|length }}") == ErrorCode::out_of_range);
  CHECK(template_code_of("{{ [0] * 9000000000000000000 }}") == ErrorCode::out_of_range);
  CHECK(template_code_of("{{ 'x'.center(9000000000000000000) }}") == ErrorCode::out_of_range);
  CHECK(template_code_of("{{ 'x'|indent(9000000000000000000) }}") == ErrorCode::out_of_range);
  CHECK(template_code_of("{{ '%999999999d' % 1 }}") == ErrorCode::unsupported);
  CHECK(template_code_of("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}") == ErrorCode::out_of_range);
  CHECK(template_code_of(
            "{% set ns = namespace(s='ab') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}") ==
        ErrorCode::out_of_range);
  CHECK(
      template_code_of("{% set ns = namespace(v=[]) %}{% for i in range(9999) %}{% set ns.v = [ns.v] %}{% endfor %}") ==
      ErrorCode::out_of_range);
  CHECK(template_code_of(
            "{% set ns = namespace(v=[1]) %}{% for i in range(99) %}{% set ns.v = [ns.v, ns.v] %}{% endfor %}"
            "{{ ns.v }}") == ErrorCode::out_of_range);
  CHECK(template_code_of("{% set ns = namespace() %}{% set ns.self = [ns] %}{{ ns }}") == ErrorCode::out_of_range);
}

TEST_CASE("tokenizers: a template nested too deeply is a parse error") {
  const auto repeated = [](const std::string& part, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) text += part;
    return text;
  };
  CHECK(template_code_of("{{ " + repeated("(", 10000) + "1" + repeated(")", 10000) + " }}") == ErrorCode::parse);
  CHECK(template_code_of("{{ " + repeated("-", 10000) + "1 }}") == ErrorCode::parse);
  CHECK(template_code_of("{{ " + repeated("not ", 10000) + "1 }}") == ErrorCode::parse);
  CHECK(template_code_of(repeated("{% if 1 %}", 10000)) == ErrorCode::parse);
  // A long chain does not nest.
  CHECK(render("{{ 1" + repeated(" + 1", 10000) + " }}", Json::object(), clock_of_cases()) == "10001");
  CHECK(render("{{ ''" + repeated(" ~ 'a'", 1000) + "|trim }}", Json::object(), clock_of_cases()).size() == 1000);
}

TEST_CASE("tokenizers: a template keeps bytes that are not UTF-8") {
  Json message = Json::object();
  message.set("content", std::string("a\xff\xe2\x82"));
  const auto chat = ChatTemplate::parse("{{ messages[0].content }}|{{ messages[0].content|upper|length }}");
  CHECK(chat.apply(Json(Json::Array{message})) == "a\xff\xe2\x82|3");
}
