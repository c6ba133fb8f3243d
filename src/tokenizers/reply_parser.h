// What a model said, taken apart: its reasoning, its calls of tools, and the rest.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "../base/json.h"

namespace trustformers {

struct ToolCall {
  std::string name;
  Json arguments = Json::object();
  std::string id;  // where the model gives one
};

struct Reply {
  std::string content;    // without reasoning and calls, blanks at its ends removed
  std::string reasoning;  // "" when there is none
  std::vector<ToolCall> tool_calls;

  /// A message as chat templates take it: role, content, and, where they are there, reasoning_content and tool_calls.
  Json message() const;
};

/// How models write their calls.
enum class ToolCallStyle {
  automatic,      // the first of the following that the text shows
  tags,           // <tool_call>{"name": …, "arguments": {…}}</tool_call>: Hermes, Qwen, SmolLM
  function_tags,  // <function=name>{…}</function>, or <parameter=key> value </parameter> inside: Llama, Qwen3-Coder
  bracket,        // [TOOL_CALLS] [{"name": …, "arguments": {…}}]: Mistral
  python_tag,     // <|python_tag|>{"name": …, "parameters": {…}}: Llama 3
  pythonic,       // [name(key=value, …), …]: Llama 4
  json,           // the whole reply is one call or a list of calls
  none,
};

struct ReplyFormat {
  ToolCallStyle tool_calls = ToolCallStyle::automatic;
  std::string reasoning_begin = "<think>";  // "" for models that do not reason
  std::string reasoning_end = "</think>";
  /// The prompt ended inside the reasoning, as templates do that put <think> into the generation prompt.
  bool starts_in_reasoning = false;
};

/// Never fails: a call that cannot be read stays part of the content. Reasoning that does not end takes the whole text.
Reply parse_reply(std::string_view text, const ReplyFormat& format = {});

}  // namespace trustformers
