#include <cmath>

#include "../base/file.h"
#include "../base/json.h"
#include "model_folder.h"
#include "tokenizer_parts.h"

namespace trustformers {
namespace {

namespace fs = std::filesystem;

/// The JSON object of a file, or an empty one when there is no such file.
Json read_object(const fs::path& path) {
  if (!fs::exists(path)) return Json::object();
  Json json = Json::parse(read_text_file(path), path.filename().string());
  check(json.is_object(), ErrorCode::parse, "[tokenizer] ", path.filename().string(), " must hold an object, got ",
        json.type_name());
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

Tokenizer Tokenizer::from_pretrained(const fs::path& folder) {
  const fs::path file = folder / "tokenizer.json";
  return with_context(
      [&] { return "while reading the tokenizer of " + folder.string(); },
      [&] {
        const Json config = read_object(folder / "tokenizer_config.json");
        TokenizerParts parts = fs::exists(file) ? parts_from_json(read_text_file(file), "tokenizer.json")
                                                : parts_from_folder(folder, config);
        const Json map = read_object(folder / "special_tokens_map.json");

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
        read_chat_templates(config.find("chat_template"), parts.chat_templates);
        if (const fs::path path = folder / "chat_template.jinja"; fs::exists(path))
          parts.chat_templates["default"] = read_text_file(path);
        if (const fs::path path = folder / "chat_template.json"; fs::exists(path))
          read_chat_templates(read_object(path).find("chat_template"), parts.chat_templates);
        if (const fs::path more = folder / "additional_chat_templates"; fs::is_directory(more)) {
          for (const auto& entry : fs::directory_iterator(more))
            if (entry.path().extension() == ".jinja")
              parts.chat_templates[entry.path().stem().string()] = read_text_file(entry.path());
        }
        return Tokenizer(std::make_shared<const TokenizerParts>(std::move(parts)));
      });
}

}  // namespace trustformers
