#include "tokenizers/reply_parser.h"

#include <doctest/doctest.h>

using namespace trustformers;

namespace {

/// name(arguments), … | content | reasoning
std::string summary(std::string_view text, const ReplyFormat& format = {}) {
  const Reply reply = parse_reply(text, format);
  std::string out;
  for (const ToolCall& call : reply.tool_calls) out += call.name + call.arguments.dump() + ' ';
  return out + '|' + reply.content + '|' + reply.reasoning;
}

}  // namespace

TEST_CASE("tokenizers: replies are parsed into calls of tools in every common style") {
  CHECK(summary(
            "Let me look.\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Oslo\"}}\n</tool_call>") ==
        "weather{\"city\":\"Oslo\"} |Let me look.|");
  CHECK(
      summary(R"(<tool_call>{"name":"a","arguments":{}}</tool_call><tool_call>{"name":"b","arguments":"{\"x\":1}"})") ==
      "a{} b{\"x\":1} ||");
  CHECK(summary("<tool_call>\n<function=f>\n<parameter=n>\n3\n</parameter>\n<parameter=s>\na b\n</parameter>\n"
                "</function>\n</tool_call>") == "f{\"n\":3,\"s\":\"a b\"} ||");
  CHECK(summary(R"(<function=f>{"x": [1, 2]}</function>)") == "f{\"x\":[1,2]} ||");
  CHECK(summary(R"([TOOL_CALLS] [{"name": "f", "arguments": {"x": 1}, "id": "123456789"}])") == "f{\"x\":1} ||");
  CHECK(summary(R"(<|python_tag|>{"name": "f", "parameters": {"x": 1}}; {"name": "g", "parameters": {}})") ==
        "f{\"x\":1} g{} ||");
  CHECK(summary(R"([f(x=1, s='it\'s', l=[True, None]), g()])") == "f{\"x\":1,\"s\":\"it's\",\"l\":[true,null]} g{} ||");
  CHECK(summary(R"({"type": "function", "function": {"name": "f", "arguments": {"x": {"y": 2}}}})") ==
        "f{\"x\":{\"y\":2}} ||");
}

TEST_CASE("tokenizers: what is no call stays part of the content") {
  for (const char* text :
       {"<tool_call>not JSON</tool_call>", "[1, 2, 3]", "{\"a\": 1}", "[TOOL_CALLS] nothing", "[f(x=)]", "[f(1)]",
        "<function=>{}</function>", "{\"name\": 5}", "{\"name\": \"f\", \"arguments\": [1]}", "[f(x='a)]", ""}) {
    CAPTURE(text);
    CHECK(summary(text) == std::string("|") + text + "|");
  }
  CHECK(summary(R"({"name": "f"})", ReplyFormat{.tool_calls = ToolCallStyle::none}) == R"(|{"name": "f"}|)");
}

TEST_CASE("tokenizers: reasoning is split off") {
  CHECK(summary("<think>\nhm\n</think>\n\nYes.") == "|Yes.|hm");
  CHECK(summary("hm\n</think>\nYes.", ReplyFormat{.starts_in_reasoning = true}) == "|Yes.|hm");
  CHECK(summary("<think>and so on") == "||and so on");
  CHECK(summary("<think>x</think><tool_call>{\"name\":\"f\"}</tool_call>") == "f{} ||x");
  CHECK(summary("[THINK]x[/THINK]y", ReplyFormat{.reasoning_begin = "[THINK]", .reasoning_end = "[/THINK]"}) == "|y|x");
  const Json message = parse_reply("<think>x</think>[f(a=1)]").message();
  CHECK(
      message.dump() ==
      R"({"role":"assistant","content":"","reasoning_content":"x","tool_calls":[{"type":"function","function":{"name":"f","arguments":{"a":1}}}]})");
}
