#include "text_rules.h"

#include <algorithm>
#include <array>

#include "../tokenizers/token_bytes.h"
#include "generate.h"
#include "processors/grammar_constraint.h"

namespace trustformers {
namespace {

constexpr std::array<std::string_view, 5> setting_names = {"json_schema", "grammar", "regex", "choices", "json"};

std::vector<TokenId> token_ids(std::span<const std::int64_t> ids) { return {ids.begin(), ids.end()}; }

/// Reads a text along with the one that the large model writes, and continues it.
class TextDraft {
 public:
  TextDraft(const Model& model, const Tokenizer& mine, const Tokenizer& theirs)
      : session_(model), mine_(mine), theirs_(theirs) {}

  std::vector<std::int64_t> propose(const RowState& row, std::int64_t count) {
    const std::vector<TokenId> ids = token_ids(row.tokens());
    const Encoding read = mine_.encode(theirs_.decode(ids));
    const std::vector<std::int64_t> prompt(read.ids.begin(), read.ids.end());
    if (prompt.empty()) return {};
    GenerationConfig config;
    config.max_new_tokens = count;
    if (const auto end = mine_.special_tokens().eos) config.eos_token_id = {*end};
    const std::vector<TokenId> fresh = token_ids(session_.generate(prompt, config));
    return in_their_tokens(ids, continuation(read.ids, fresh));
  }

 private:
  /// What the fresh tokens add to the text.
  std::string continuation(const std::vector<TokenId>& before, const std::vector<TokenId>& fresh) const {
    const std::size_t near = before.size() - std::min<std::size_t>(before.size(), neighbours);
    std::vector<TokenId> window(before.begin() + static_cast<std::ptrdiff_t>(near), before.end());
    const std::string old = mine_.decode(window, true);
    window.insert(window.end(), fresh.begin(), fresh.end());
    const std::string text = mine_.decode(window, true);
    return text.starts_with(old) ? text.substr(old.size()) : std::string();
  }
  /// A text that goes on behind `ids`: with its left neighbours, for words may go over the border.
  std::vector<std::int64_t> in_their_tokens(const std::vector<TokenId>& ids, const std::string& text) const {
    if (text.empty()) return {};
    const EncodeOptions plain{.add_special_tokens = false};
    for (std::size_t n = std::min<std::size_t>(ids.size(), neighbours); n > 0; --n) {
      const std::span<const TokenId> last = std::span(ids).last(n);
      const std::vector<TokenId> all = theirs_.encode(theirs_.decode(last) + text, plain).ids;
      if (all.size() > n && std::equal(last.begin(), last.end(), all.begin()))
        return {all.begin() + static_cast<std::ptrdiff_t>(n), all.end()};
    }
    const std::vector<TokenId> alone = theirs_.encode(text, plain).ids;
    return {alone.begin(), alone.end()};
  }

  static constexpr std::size_t neighbours = 8;
  Session session_;
  const Tokenizer& mine_;
  const Tokenizer& theirs_;
};

}  // namespace

std::shared_ptr<const TokenTrie> token_trie(const Tokenizer& tokenizer) {
  return std::make_shared<const TokenTrie>(token_bytes(tokenizer));
}

void constrain(GenerationConfig& config, std::shared_ptr<const TokenTrie> vocabulary, Grammar grammar) {
  auto masks = std::make_shared<TokenMasks>(std::make_shared<const Grammar>(std::move(grammar)), std::move(vocabulary));
  masks->warm_up();
  config.logits_processors.push_back(std::make_shared<GrammarConstraint>(std::move(masks), config.eos_token_id));
}

void constrain(GenerationConfig& config, const Tokenizer& tokenizer, Grammar grammar) {
  constrain(config, token_trie(tokenizer), std::move(grammar));
}

std::span<const std::string_view> grammar_settings() { return setting_names; }

std::optional<Grammar> grammar_of(const Json& settings) {
  std::string_view name;
  for (const std::string_view key : setting_names) {
    const Json* value = settings.find(key);
    if (!value || value->is_null()) continue;
    check(name.empty(), ErrorCode::invalid_argument, "[generation] ", name, " and ", key, " exclude each other");
    name = key;
  }
  if (name.empty()) return std::nullopt;
  const Json& value = *settings.find(name);
  if (name == "json_schema") return Grammar::json_schema(value.is_string() ? value.as_string() : value.dump());
  if (name == "grammar") return Grammar::gbnf(value.as_string(name));
  if (name == "regex") return Grammar::regex(value.as_string(name));
  if (name == "json") return value.as_bool(name) ? std::optional(Grammar::json()) : std::nullopt;
  std::vector<std::string> choices;
  for (const Json& choice : value.as_array(name)) choices.push_back(choice.as_string(name));
  return Grammar::choices(choices);
}

void apply_stop_strings(GenerationConfig& config, const Tokenizer& tokenizer) {
  std::vector<std::string> stops = std::move(config.stop_strings);
  config.stop_strings.clear();
  std::erase(stops, std::string());
  if (stops.empty()) return;
  std::size_t longest = 0;
  for (const std::string& stop : stops) longest = std::max(longest, stop.size());
  // A token may hold less than a byte of text (special ones hold none), but seldom: some more are read.
  const std::size_t reach = 2 * longest + 8;
  config.stopping.push_back([tokenizer, stops = std::move(stops), reach](const RowState& row) {
    const auto generated = row.generated();
    const std::string text =
        tokenizer.decode(token_ids(generated.last(std::min(generated.size(), reach))), /*skip_special_tokens=*/true);
    return std::any_of(stops.begin(), stops.end(),
                       [&](const std::string& stop) { return text.find(stop) != std::string::npos; });
  });
}

DraftSource draft_through_text(const Model& assistant, const Tokenizer& its_tokenizer, const Tokenizer& tokenizer) {
  const auto draft = std::make_shared<TextDraft>(assistant, its_tokenizer, tokenizer);
  return [draft](const RowState& row, std::int64_t count) { return draft->propose(row, count); };
}

}  // namespace trustformers
