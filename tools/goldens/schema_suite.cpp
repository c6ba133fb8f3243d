#include "schema_suite.h"

#include <algorithm>

#include "../../src/base/error.h"
#include "../../src/base/file.h"
#include "../../src/base/json.h"
#include "../../src/generation/grammar/matcher.h"
#include "guarded.h"

namespace trustformers::goldens {
namespace {

namespace fs = std::filesystem;

/// The texts of a value with its members in every order, as far as there are not too many.
std::vector<std::string> spellings(const Json& value) {
  constexpr std::size_t most = 150;
  if (value.is_array() || value.is_object()) {
    const bool object = value.is_object();
    std::vector<std::vector<std::string>> parts;
    if (object)
      for (const auto& [name, member] : value.as_object()) {
        parts.push_back(spellings(member));
        for (std::string& text : parts.back()) text = Json(name).dump() + ":" + text;
      }
    else
      for (const Json& item : value.as_array()) parts.push_back(spellings(item));
    std::vector<std::size_t> order(parts.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::vector<std::string> out;
    do {
      std::vector<std::string> texts{object ? "{" : "["};
      for (std::size_t i = 0; i < order.size(); ++i) {
        std::vector<std::string> longer;
        for (const std::string& text : texts)
          for (const std::string& part : parts[order[i]])
            if (longer.size() < most) longer.push_back(text + (i > 0 ? "," : "") + part);
        texts = std::move(longer);
      }
      for (const std::string& text : texts) out.push_back(text + (object ? "}" : "]"));
    } while (object && out.size() < most && std::next_permutation(order.begin(), order.end()));
    return out;
  }
  std::vector<std::string> out{value.dump()};
  if (value.is_number() &&
      value.as_double() == static_cast<double>(static_cast<std::int64_t>(value.as_double() / 2) * 2) && !value.is_int())
    out.push_back(std::to_string(static_cast<std::int64_t>(value.as_double())));
  return out;
}

void run_group(const std::string& run, const Json& group, const std::shared_ptr<const TokenTrie>& trie,
               Report& report) {
  std::shared_ptr<TokenMasks> masks;
  try {
    masks = std::make_shared<TokenMasks>(
        std::make_shared<const Grammar>(Grammar::json_schema(group.at("schema").dump())), trie);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::unsupported) return report.skip(run + ": " + error.message());
    if (error.code() != ErrorCode::invalid_argument) throw;  // else nothing is valid, so nothing is accepted
  }
  for (const Json& test : group.at("tests").as_array()) {
    if (test.at("valid").as_bool()) continue;
    bool accepted = false;
    for (const std::string& text : spellings(test.at("data"))) {
      if (!masks) break;
      GrammarMatcher matcher(masks);
      accepted = accepted || (matcher.advance(text) && matcher.complete());
    }
    report.add_exact(run, "refuses " + test.at("description").as_string(), !accepted);
  }
}

}  // namespace

bool is_schema_suite(const fs::path& folder) { return fs::exists(folder / "boolean_schema.json"); }

void run_schema_suite(const fs::path& folder, Report& report) {
  std::vector<std::string> bytes;
  for (int b = 0; b < 256; ++b) bytes.emplace_back(1, static_cast<char>(b));
  const auto trie = std::make_shared<const TokenTrie>(bytes);
  std::vector<fs::path> files;
  for (const auto& item : fs::directory_iterator(folder))
    if (item.path().extension() == ".json") files.push_back(item.path());
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    const Json groups = Json::parse(read_text_file(file), file.string());
    for (const Json& group : groups.as_array()) {
      const std::string run = file.stem().string() + "/" + group.at("description").as_string();
      guarded(report, run, [&] { run_group(run, group, trie, report); });
    }
  }
}

}  // namespace trustformers::goldens
