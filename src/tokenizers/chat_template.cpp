#include "chat_template.h"

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "jinja/interpreter.h"
#include "jinja/parser.h"

namespace trustformers {
namespace {

// The same reasoning under every name that templates look for.
Json with_reasoning_names(const Json& message) {
  const Json* reasoning = nullptr;
  for (const std::string_view name : {"reasoning_content", "thinking", "reasoning"}) {
    const Json* found = message.find(name);
    if (reasoning == nullptr && found != nullptr && !found->is_null()) reasoning = found;
  }
  if (reasoning == nullptr) return message;
  Json result = Json::object();
  result.set("thinking", *reasoning);
  for (const auto& [name, value] : message.as_object()) result.set(name, value);
  result.set("reasoning_content", *reasoning);
  return result;
}

}  // namespace

struct ChatTemplate::Program {
  jinja::Block block;
};

ChatTemplate ChatTemplate::parse(std::string_view source) {
  auto program = std::make_shared<Program>();
  program->block = jinja::Parser(source).parse();
  return ChatTemplate(std::move(program));
}

std::string ChatTemplate::apply(const Json& messages, const ChatTemplateOptions& options) const {
  check(messages.is_array(), ErrorCode::invalid_argument, "[chat_template] messages must be an array, got ",
        messages.type_name());
  Json conversation = Json::array();
  for (const Json& message : messages.as_array()) {
    check(message.is_object(), ErrorCode::invalid_argument, "[chat_template] a message must be an object, got ",
          message.type_name());
    conversation.as_array().push_back(with_reasoning_names(message));
  }
  std::vector<std::pair<std::string, jinja::Value>> variables;
  variables.emplace_back("messages", jinja::Value::from_json(conversation));
  variables.emplace_back("tools", jinja::Value::from_json(options.tools));
  variables.emplace_back("documents", jinja::Value::from_json(options.documents));
  variables.emplace_back("add_generation_prompt", jinja::Value::boolean(options.add_generation_prompt));
  if (options.bos_token)
    variables.emplace_back("bos_token", jinja::Value::string(std::string_view(*options.bos_token)));
  if (options.eos_token)
    variables.emplace_back("eos_token", jinja::Value::string(std::string_view(*options.eos_token)));
  if (!options.extra.is_null())
    for (const auto& [name, value] : options.extra.as_object("extra"))
      variables.emplace_back(name, jinja::Value::from_json(value));
  jinja::Interpreter interpreter(options.limits, options.now);
  return interpreter.render(program_->block, variables);
}

}  // namespace trustformers
