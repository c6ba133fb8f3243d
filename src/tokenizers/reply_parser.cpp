#include "reply_parser.h"

#include <algorithm>
#include <optional>

#include "../base/error.h"
#include "../base/json_reader.h"

namespace trustformers {
namespace {

constexpr std::string_view blanks = " \t\r\n";

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

std::optional<Json> parse_json(std::string_view text) {
  try {
    return Json::parse(text, "reply");
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// The JSON value that `text` begins with, and what follows it.
std::optional<std::pair<Json, std::string_view>> leading_json(std::string_view text) {
  try {
    JsonReader reader(text, "reply");
    const std::string_view value = reader.skip();
    const auto end = static_cast<std::size_t>(value.data() + value.size() - text.data());
    return std::pair(Json::parse(value, "reply"), text.substr(end));
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// {"name": …, "arguments" or "parameters": {…}}, perhaps inside {"function": …}; arguments may be a string of JSON.
std::optional<ToolCall> read_call(const Json& json) {
  if (!json.is_object()) return std::nullopt;
  const Json* const wrapped = json.find("function");
  const Json& call = wrapped && wrapped->is_object() ? *wrapped : json;
  const Json* const name = call.find("name");
  if (!name || !name->is_string() || name->as_string().empty()) return std::nullopt;
  ToolCall out;
  out.name = name->as_string();
  if (const Json* const id = json.find("id"); id && id->is_string()) out.id = id->as_string();
  const Json* arguments = call.find("arguments");
  if (!arguments) arguments = call.find("parameters");
  if (!arguments || arguments->is_null()) return out;
  if (arguments->is_string()) {
    auto parsed = parse_json(arguments->as_string());
    if (!parsed || !parsed->is_object()) return std::nullopt;
    out.arguments = std::move(*parsed);
  } else if (arguments->is_object()) {
    out.arguments = *arguments;
  } else {
    return std::nullopt;
  }
  return out;
}

/// One call or a list of calls, all of which must be calls.
std::optional<std::vector<ToolCall>> read_calls(const Json& json) {
  std::vector<ToolCall> out;
  const Json::Array one = {json};
  for (const Json& item : json.is_array() ? json.as_array() : one) {
    auto call = read_call(item);
    if (!call) return std::nullopt;
    out.push_back(std::move(*call));
  }
  return out;
}

void append(std::vector<ToolCall>& to, std::vector<ToolCall> more) {
  std::move(more.begin(), more.end(), std::back_inserter(to));
}

/// Literals of Python as far as calls have them: numbers, strings, True, False, None, lists and dictionaries.
class PythonReader {
 public:
  explicit PythonReader(std::string_view text) : text_(text) {}

  /// [name(key=value, …), …] and nothing after it.
  std::optional<std::vector<ToolCall>> calls() {
    std::vector<ToolCall> out;
    if (!take('[')) return std::nullopt;
    do {
      ToolCall call;
      call.name = name();
      if (call.name.empty() || !take('(')) return std::nullopt;
      while (!take(')')) {
        if (call.arguments.size() > 0 && !take(',')) return std::nullopt;
        const std::string key = name();
        if (key.empty() || !take('=')) return std::nullopt;
        auto value_read = value(0);
        if (!value_read) return std::nullopt;
        call.arguments.set(key, std::move(*value_read));
      }
      out.push_back(std::move(call));
    } while (take(','));
    if (!take(']')) return std::nullopt;
    space();
    return at_ == text_.size() ? std::optional(std::move(out)) : std::nullopt;
  }

 private:
  void space() { at_ = std::min(text_.find_first_not_of(blanks, at_), text_.size()); }
  bool take(char c) {
    space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string name() {
    space();
    const std::size_t begin = at_;
    const auto in_name = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
             c == '-';
    };
    while (at_ < text_.size() && in_name(text_[at_])) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }
  std::optional<Json> value(int depth) {
    space();
    if (at_ >= text_.size() || depth > 64) return std::nullopt;
    const char c = text_[at_];
    if (c == '\'' || c == '"') return string(c);
    if (c == '[' || c == '(') {
      ++at_;
      Json::Array items;
      while (!take(c == '[' ? ']' : ')')) {
        if (!items.empty() && !take(',')) return std::nullopt;
        if (!items.empty() && take(c == '[' ? ']' : ')')) break;
        auto item = value(depth + 1);
        if (!item) return std::nullopt;
        items.push_back(std::move(*item));
      }
      return Json(std::move(items));
    }
    if (c == '{') {
      ++at_;
      Json object = Json::object();
      while (!take('}')) {
        if (object.size() > 0 && !take(',')) return std::nullopt;
        space();
        if (at_ >= text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) return std::nullopt;
        auto key = string(text_[at_]);
        if (!key || !take(':')) return std::nullopt;
        auto item = value(depth + 1);
        if (!item) return std::nullopt;
        object.set(key->as_string(), std::move(*item));
      }
      return object;
    }
    const std::size_t end = std::min(text_.find_first_of(",)]} \t\r\n", at_), text_.size());
    const std::string_view word = text_.substr(at_, end - at_);
    at_ = end;
    if (word == "True") return Json(true);
    if (word == "False") return Json(false);
    if (word == "None") return Json();
    return parse_json(word);
  }
  std::optional<Json> string(char quote) {
    std::string out;
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        const char c = text_[++at_];
        out.push_back(c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c);
      } else {
        out.push_back(text_[at_]);
      }
    }
    if (at_ >= text_.size()) return std::nullopt;
    ++at_;
    return Json(std::move(out));
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// What stands between `begin` and `end` goes to `read`; where it is no call it stays in the text. A last block may
/// lack its end.
template <class Read>
std::string take_blocks(std::string_view text, std::string_view begin, std::string_view end, Read&& read) {
  std::string rest;
  while (true) {
    const std::size_t open = text.find(begin);
    if (open == std::string_view::npos) break;
    const std::size_t close = text.find(end, open + begin.size());
    const std::size_t stop = std::min(close, text.size());
    const std::string_view inside = text.substr(open + begin.size(), stop - open - begin.size());
    const std::size_t after = close == std::string_view::npos ? text.size() : close + end.size();
    rest += text.substr(0, read(inside) ? open : after);
    text.remove_prefix(after);
  }
  return rest += text;
}

/// <function=name> then JSON, or <parameter=key> value </parameter> …
std::optional<ToolCall> read_function(std::string_view text) {
  const std::size_t close = text.find('>');
  if (close == std::string_view::npos) return std::nullopt;
  ToolCall call;
  call.name = trim(text.substr(0, close));
  if (call.name.empty()) return std::nullopt;
  std::string_view body = trim(text.substr(close + 1));
  if (body.starts_with('{')) {
    auto json = parse_json(body);
    if (!json || !json->is_object()) return std::nullopt;
    call.arguments = std::move(*json);
    return call;
  }
  const std::string left = take_blocks(body, "<parameter=", "</parameter>", [&](std::string_view inside) {
    const std::size_t end = inside.find('>');
    if (end == std::string_view::npos) return false;
    const std::string_view value = trim(inside.substr(end + 1));
    auto json = parse_json(value);  // numbers, lists and the like; anything else is a string
    call.arguments.set(trim(inside.substr(0, end)), json ? std::move(*json) : Json(value));
    return true;
  });
  return trim(left).empty() ? std::optional(std::move(call)) : std::nullopt;
}

using Calls = std::vector<ToolCall>;

std::string take_tags(std::string_view text, Calls& calls) {
  return take_blocks(text, "<tool_call>", "</tool_call>", [&](std::string_view inside) {
    const std::string_view body = trim(inside);
    if (body.starts_with("<function=")) {
      auto call = read_function(body.substr(10, body.rfind("</function>") - 10));
      if (call) calls.push_back(std::move(*call));
      return call.has_value();
    }
    const auto json = parse_json(body);
    auto read = json ? read_calls(*json) : std::nullopt;
    if (read) append(calls, std::move(*read));
    return read.has_value();
  });
}

std::string take_function_tags(std::string_view text, Calls& calls) {
  return take_blocks(text, "<function=", "</function>", [&](std::string_view inside) {
    auto call = read_function(inside);
    if (call) calls.push_back(std::move(*call));
    return call.has_value();
  });
}

/// `mark` and one JSON value after it; Llama 3 joins several by semicolons.
std::string take_marked(std::string_view text, std::string_view mark, Calls& calls) {
  const std::size_t open = text.find(mark);
  if (open == std::string_view::npos) return std::string(text);
  std::string_view rest = text.substr(open + mark.size());
  Calls found;
  while (true) {
    const auto value = leading_json(trim(rest));
    auto read = value ? read_calls(value->first) : std::nullopt;
    if (!read) break;
    append(found, std::move(*read));
    rest = trim(value->second);
    if (!rest.starts_with(';')) break;
    rest.remove_prefix(1);
  }
  if (found.empty()) return std::string(text);
  append(calls, std::move(found));
  return std::string(text.substr(0, open)).append(rest);
}

std::string take_whole(std::string_view text, bool pythonic, Calls& calls) {
  const std::string_view body = trim(text);
  std::optional<Calls> read;
  if (pythonic) {
    read = PythonReader(body).calls();
  } else if (const auto json = body.starts_with('{') || body.starts_with('[') ? parse_json(body) : std::nullopt) {
    read = read_calls(*json);
  }
  if (!read || read->empty()) return std::string(text);
  append(calls, std::move(*read));
  return {};
}

std::string take_calls(std::string_view text, ToolCallStyle style, Calls& calls) {
  switch (style) {
    case ToolCallStyle::tags: return take_tags(text, calls);
    case ToolCallStyle::function_tags: return take_function_tags(text, calls);
    case ToolCallStyle::bracket: return take_marked(text, "[TOOL_CALLS]", calls);
    case ToolCallStyle::python_tag: return take_marked(text, "<|python_tag|>", calls);
    case ToolCallStyle::pythonic: return take_whole(text, true, calls);
    case ToolCallStyle::json: return take_whole(text, false, calls);
    case ToolCallStyle::none: return std::string(text);
    case ToolCallStyle::automatic: break;
  }
  for (const auto candidate : {ToolCallStyle::tags, ToolCallStyle::function_tags, ToolCallStyle::bracket,
                               ToolCallStyle::python_tag, ToolCallStyle::pythonic, ToolCallStyle::json}) {
    std::string rest = take_calls(text, candidate, calls);
    if (!calls.empty()) return rest;
  }
  return std::string(text);
}

}  // namespace

Json Reply::message() const {
  Json out = Json::Object{{"role", "assistant"}, {"content", content}};
  if (!reasoning.empty()) out.set("reasoning_content", reasoning);
  if (tool_calls.empty()) return out;
  Json::Array calls;
  for (const ToolCall& call : tool_calls) {
    Json entry = Json::Object{{"type", "function"},
                              {"function", Json::Object{{"name", call.name}, {"arguments", call.arguments}}}};
    if (!call.id.empty()) entry.set("id", call.id);
    calls.push_back(std::move(entry));
  }
  out.set("tool_calls", std::move(calls));
  return out;
}

Reply parse_reply(std::string_view text, const ReplyFormat& format) {
  Reply out;
  std::string rest(text);
  if (!format.reasoning_end.empty() && !format.reasoning_begin.empty()) {
    const std::size_t open = format.starts_in_reasoning ? 0 : rest.find(format.reasoning_begin);
    const bool marked =
        rest.compare(std::min(open, rest.size()), format.reasoning_begin.size(), format.reasoning_begin) == 0;
    if (open != std::string::npos) {
      const std::size_t begin = open + (marked ? format.reasoning_begin.size() : 0);
      const std::size_t close = rest.find(format.reasoning_end, begin);
      out.reasoning = trim(std::string_view(rest).substr(begin, close - begin));
      const std::size_t after = close == std::string::npos ? rest.size() : close + format.reasoning_end.size();
      rest.erase(open, after - open);
    }
  }
  rest = take_calls(rest, format.tool_calls, out.tool_calls);
  out.content = trim(rest);
  return out;
}

}  // namespace trustformers
