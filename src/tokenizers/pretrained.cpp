#include "../base/file_set.h"
#include "../base/json.h"
#include "model_folder.h"
#include "tokenizer_parts.h"

namespace trustformers {
namespace {

/// The JSON object of a file, or an empty one when there is no such file.
Json read_object(const FileSet& files, std::string_view name) {
  const std::optional<std::string> text = files.read(name);
  if (!text) return Json::object();
  Json json = Json::parse(*text, name);
  check(json.is_object(), ErrorCode::parse, "[tokenizer] ", name, " must hold an object, got ", json.type_name());
  return json;
}

/// A special token is written as a string, or as an object with its content.
std::optional<std::string> token_text(const Json* value, std::string_view key) {
  if (!value || value->is_null()) return std::nullopt;
  if (value->is_object()) return value->at("content", key).as_string(key);
  return value->as_string(key);
}

void read_chat_templates(const Json* value, std::map<std::string, std::string>& out) {
  if (!value || value->is_null()) return;
  if (value->is_string()) {
    out["default"] = value->as_string();
    return;
  }
  for (const Json& entry : value->as_array("chat_template"))
    out[entry.at("name", "chat_template").as_string("chat_template.name")] =
        entry.at("template", "chat_template").as_string("chat_template.template");
}

}  // namespace

Tokenizer Tokenizer::from_pretrained(const std::filesystem::path& folder) { return from_files(FolderFiles(folder)); }

Tokenizer Tokenizer::from_files(const FileSet& files) {
  const std::optional<std::string> file = files.read("tokenizer.json");
  return with_context(
      [&] { return "while reading the tokenizer of " + files.describe(); },
      [&] {
        const Json config = read_object(files, "tokenizer_config.json");
        TokenizerParts parts = file ? parts_from_json(*file, "tokenizer.json") : parts_from_folder(files, config);
        const Json map = read_object(files, "special_tokens_map.json");

        const std::pair<std::string_view, std::optional<TokenId> SpecialTokens::*> roles[] = {
            {"bos_token", &SpecialTokens::bos},  {"eos_token", &SpecialTokens::eos}, {"unk_token", &SpecialTokens::unk},
            {"sep_token", &SpecialTokens::sep},  {"pad_token", &SpecialTokens::pad}, {"cls_token", &SpecialTokens::cls},
            {"mask_token", &SpecialTokens::mask}};
        const auto id_of = [&](std::string_view token) {
          const TokenId added = parts.added.id(token);
          return added >= 0 ? added : parts.model->vocabulary().find(token);
        };
        for (const auto& [key, member] : roles) {
          auto text = token_text(config.find(key), key);
          if (!text) text = token_text(map.find(key), key);
          if (!text) continue;
          if (const TokenId id = id_of(*text); id >= 0) parts.special.*member = id;
          if (key == "pad_token" && parts.special.pad) {
            parts.padding.pad_token = *text;
            parts.padding.pad_id = *parts.special.pad;
          }
        }
        if (const Json* side = config.find("padding_side"); side && side->is_string())
          parts.padding.direction = side->as_string() == "left" ? Side::left : Side::right;
        if (const Json* type = config.find("pad_token_type_id"); type && type->is_int())
          parts.padding.pad_type_id = static_cast<std::int32_t>(type->as_int());
        // Models without a limit say 1e30.
        if (const Json* length = config.find("model_max_length"); length && length->is_number()) {
          const double value = length->as_double();
          if (value >= 1 && value < 1e9) parts.model_max_length = static_cast<std::size_t>(value);
        }
        if (const Json* clean = config.find("clean_up_tokenization_spaces"); clean && clean->is_bool())
          parts.clean_up_spaces = clean->as_bool();
        if (const Json* names = config.find("model_input_names"); names && names->is_array())
          for (const Json& name : names->as_array())
            parts.model_input_names.push_back(name.as_string("model_input_names"));
        read_chat_templates(config.find("chat_template"), parts.chat_templates);
        if (auto text = files.read("chat_template.jinja")) parts.chat_templates["default"] = std::move(*text);
        read_chat_templates(read_object(files, "chat_template.json").find("chat_template"), parts.chat_templates);
        constexpr std::string_view more = "additional_chat_templates", ending = ".jinja";
        for (const std::string& name : files.list(more))
          if (name.ends_with(ending))
            parts.chat_templates[name.substr(0, name.size() - ending.size())] =
                files.read(str(more, "/", name)).value_or("");
        return Tokenizer(std::make_shared<const TokenizerParts>(std::move(parts)));
      });
}

}  // namespace trustformers
