// Chat templates: the Jinja2 program that comes with a model and turns messages into the text of a prompt.
#pragma once

#include <ctime>
#include <memory>
#include <optional>
#include <string>

#include "../base/json.h"
#include "jinja/limits.h"

namespace trustformers {

/// What a template may look at besides the messages. The names are those of `apply_chat_template` in transformers.
struct ChatTemplateOptions {
  bool add_generation_prompt = false;
  Json tools = nullptr;      // array of tool descriptions (JSON schema), or null
  Json documents = nullptr;  // array of objects, or null
  Json extra = nullptr;      // object: further variables; they win over those above
  /// Not set: the variable is undefined in the template.
  std::optional<std::string> bos_token;
  std::optional<std::string> eos_token;
  /// The local time that `strftime_now` formats; not set: the machine's clock.
  std::optional<std::tm> now;
  jinja::Limits limits;
};

/// A parsed template. Immutable: several threads may apply it at the same time.
///
/// Renders what Jinja2 renders under transformers' settings: trim_blocks, lstrip_blocks, loop controls, `generation`
/// blocks, `tojson` without HTML escaping, immutable lists and dictionaries. Not supported (each named in an error):
/// statements that load other templates, and rare filters (xmlattr, urlize, wordwrap, pprint, random).
class ChatTemplate {
 public:
  /// Errors: parse, with the line; unsupported, with the statement.
  static ChatTemplate parse(std::string_view source);

  /// `messages`: array of objects such as {"role": "user", "content": "Hello"}. A message's reasoning is made known as
  /// `reasoning_content` and `thinking`, whichever of these names (or `reasoning`) it came under, as transformers does.
  /// Errors: invalid_argument (raise_exception, with its text; undefined values; wrong types), unsupported (a filter,
  /// test or method), out_of_range (a limit). The context names the line of the template.
  std::string apply(const Json& messages, const ChatTemplateOptions& options = {}) const;

 private:
  struct Program;
  explicit ChatTemplate(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const Program> program_;
};

}  // namespace trustformers
