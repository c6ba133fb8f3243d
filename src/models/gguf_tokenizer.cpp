#include "gguf_tokenizer.h"

#include "../weights/gguf.h"
#include "../weights/open.h"

namespace trustformers {

GgufVocabulary read_gguf_vocabulary(const GgufMetadata& metadata) {
  GgufVocabulary out;
  const auto key = [](std::string_view name) { return "tokenizer.ggml." + std::string(name); };
  const auto flag = [&](std::string_view name) -> std::optional<bool> {
    const GgufValue* value = metadata.find(key(name));
    return value ? std::optional(value->as_bool()) : std::nullopt;
  };
  const auto id = [&](std::string_view name) -> std::optional<TokenId> {
    const GgufValue* value = metadata.find(key(name) + "_token_id");
    // Some converters write -1 or 2^32 - 1 for "none".
    if (!value || value->as_int() < 0 || value->as_int() >= std::int64_t{0xFFFFFFFF}) return std::nullopt;
    return static_cast<TokenId>(value->as_int());
  };
  const auto strings = [&](std::string_view name) {
    std::vector<std::string> list;
    if (const GgufValue* value = metadata.find(key(name)))
      for (const std::string_view text : value->as_strings()) list.emplace_back(text);
    return list;
  };
  out.model = metadata.get_string(key("model"));
  out.pre = metadata.get_string(key("pre"), "");
  out.tokens = strings("tokens");
  out.merges = strings("merges");
  if (const GgufValue* value = metadata.find(key("scores"))) out.scores = value->as_floats();
  if (const GgufValue* value = metadata.find(key("token_type")))
    for (const std::int64_t type : value->as_ints()) out.token_types.push_back(static_cast<std::int32_t>(type));
  out.bos = id("bos");
  out.eos = id("eos");
  out.unk = id("unknown");
  out.sep = id("seperator");  // the format spells it so
  out.pad = id("padding");
  out.cls = id("cls");
  out.mask = id("mask");
  out.add_bos = flag("add_bos_token");
  out.add_eos = flag("add_eos_token");
  out.add_space_prefix = flag("add_space_prefix");
  out.remove_extra_whitespaces = flag("remove_extra_whitespaces");
  if (const GgufValue* value = metadata.find(key("precompiled_charsmap"))) {
    if (value->element_type() == GgufType::string) {
      out.precompiled_charsmap = value->as_string();
    } else {
      for (const std::int64_t byte : value->as_ints()) out.precompiled_charsmap.push_back(static_cast<char>(byte));
    }
  }
  out.chat_template = metadata.get_string("tokenizer.chat_template", "");
  return out;
}

Tokenizer open_tokenizer(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) {
    // A folder with nothing but a GGUF file: that file has the tokenizer too.
    const bool bare = !std::filesystem::exists(path / "tokenizer.json") && find_weights(path).extension() == ".gguf";
    return bare ? open_tokenizer(find_weights(path)) : Tokenizer::from_pretrained(path);
  }
  if (path.extension() != ".gguf") return Tokenizer::from_file(path);
  return with_context([&] { return "while reading the tokenizer of " + path.filename().string(); },
                      [&] { return Tokenizer::from_gguf(read_gguf_vocabulary(open_gguf(path)->metadata())); });
}

}  // namespace trustformers
