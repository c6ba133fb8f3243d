// tokenize: what a model makes of a text, and back.
#include <iostream>
#include <memory>

#include <trustformers/trustformers.h>
#include <CLI/CLI.hpp>

#include "commands.h"
#include "terminal.h"

namespace trustformers::cli {
namespace {

struct TokenizeArguments {
  std::string model, text;
  std::vector<std::int64_t> decode;
  bool plain = false, json = false;
};

void tokenize(const TokenizeArguments& o) {
  const auto tokenizer = AutoTokenizer::from_pretrained(o.model);
  if (!o.decode.empty()) {
    const std::string text = tokenizer.decode(o.decode, false);
    std::cout << (o.json ? Json(text).dump() : text) << "\n";
    return;
  }
  const std::string text = o.text.empty() ? read_stdin() : o.text;
  const Encoding encoding = tokenizer.tokenizer().encode(text, {.add_special_tokens = !o.plain});
  if (!o.json) {
    for (std::size_t i = 0; i < encoding.size(); ++i)
      std::cout << encoding.ids[i] << "\t" << encoding.tokens[i] << "\n";
    return;
  }
  Json::Array ids, tokens, offsets;
  for (std::size_t i = 0; i < encoding.size(); ++i) {
    ids.push_back(Json(encoding.ids[i]));
    tokens.push_back(Json(encoding.tokens[i]));
    offsets.push_back(Json(Json::Array{Json(encoding.offsets[i].begin), Json(encoding.offsets[i].end)}));
  }
  Json out = Json::object();
  out.set("ids", Json(std::move(ids)));
  out.set("tokens", Json(std::move(tokens)));
  out.set("offsets", Json(std::move(offsets)));
  std::cout << out.dump() << "\n";
}

}  // namespace

void add_tokenize(CLI::App& app, Run& chosen) {
  CLI::App* command = app.add_subcommand("tokenize", "Show the tokens of a text");
  const auto o = std::make_shared<TokenizeArguments>();
  command->add_option("MODEL", o->model, "Folder, file or cached hub id")->required();
  command->add_option("TEXT", o->text, "The text; stdin when absent");
  command->add_option("--decode", o->decode, "Token ids to turn into text instead");
  command->add_flag("--plain", o->plain, "Without special tokens such as [CLS]");
  command->add_flag("--json", o->json, "Ids, tokens and offsets (in code points) as JSON");
  command->footer(
      "Examples:\n"
      "  trustformers tokenize model.gguf 'Hello, world!'\n"
      "  trustformers tokenize ./model --decode 504 3575 282");
  command->callback([o, &chosen] { chosen = [o] { tokenize(*o); }; });
}

}  // namespace trustformers::cli
