#include "gguf_tokenizer_cases.h"

#include <algorithm>

#include "../../src/base/file.h"
#include "../../src/models/gguf_tokenizer.h"
#include "guarded.h"

namespace trustformers::goldens {

void run_gguf_tokenizer_case(const Case& c, Report& report) {
  const std::filesystem::path rows = c.folder / "tokens.json", model = c.folder / "model.gguf";
  if (!std::filesystem::exists(rows) || !std::filesystem::exists(model)) return;
  guarded(report, "tokens", [&] {
    const Json description = Json::parse(read_text_file(rows), rows.string());
    const Tokenizer tokenizer = open_tokenizer(model);
    // What the ids were made with decides which special tokens were added, and whether text could name them.
    const std::string& source = c.description.at("tokenizer").at("source").as_string();
    EncodeOptions options;
    options.add_special_tokens = source.find("[CLS]") != std::string::npos;
    options.parse_special_tokens = !source.starts_with("sentencepiece");
    const Json::Array& texts = description.at("encode").as_array();
    const auto differ = std::count_if(texts.begin(), texts.end(), [&](const Json& text) {
      const Encoding got = tokenizer.encode(text.at("text").as_string(), options);
      const Json::Array& expected = text.at("ids").as_array();
      return !std::equal(got.ids.begin(), got.ids.end(), expected.begin(), expected.end(),
                         [](TokenId id, const Json& e) { return id == e.as_int(); });
    });
    report.add("tokens", str("ids of ", texts.size(), " texts"), static_cast<double>(differ), 0, differ == 0);
  });
}

}  // namespace trustformers::goldens
