#include "load_report.h"

#include <algorithm>

#include "../base/error.h"
#include "source.h"

namespace trustformers {
namespace {

constexpr std::size_t most_shown = 20;

/// A heading and at most `most_shown` lines, one per item; nothing for no items.
template <class Item, class Line>
std::string section(std::string_view heading, const std::vector<Item>& items, Line line) {
  if (items.empty()) return {};
  std::string text = str('\n', items.size(), " ", heading, ":");
  for (std::size_t i = 0; i < std::min(items.size(), most_shown); ++i) text += str("\n  ", line(items[i]));
  if (items.size() > most_shown) text += str("\n  and ", items.size() - most_shown, " more");
  return text;
}

}  // namespace

void LoadReport::add_misshapen(std::string name, const Shape& expected, const Shape& got, std::string file) {
  misshapen_.push_back({std::move(name), expected, got, std::move(file)});
}

std::string LoadReport::text() const {
  const std::string all = section("missing", missing_, quote_name) +
                          section("of another shape", misshapen_,
                                  [](const Misshapen& m) {
                                    return str(quote_name(m.name), ": expected ", to_string(m.expected), ", got ",
                                               to_string(m.got), " in ", m.file);
                                  }) +
                          section("not used by the model", unexpected_, quote_name);
  return all.empty() ? all : all.substr(1);
}

void LoadReport::check(std::string_view source, const LoadRules& rules) const {
  LoadReport forbidden = *this;
  const auto allowed = [&](const std::string& name) {
    return !rules.strict || std::any_of(rules.ignore_unexpected.begin(), rules.ignore_unexpected.end(),
                                        [&](const std::string& pattern) { return matches(name, pattern); });
  };
  std::erase_if(forbidden.unexpected_, allowed);
  if (forbidden.empty()) return;
  const bool names_differ = !forbidden.missing_.empty() || !forbidden.unexpected_.empty();
  fail(names_differ ? ErrorCode::not_found : ErrorCode::shape_mismatch, "[load] ", source,
       " does not fit the model; tensors:\n", forbidden.text());
}

bool matches(std::string_view name, std::string_view pattern) {
  // Greedy with one point of return: the last star, which takes one more byte on each failure.
  std::size_t n = 0, p = 0, star = std::string_view::npos, star_n = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_n = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++n, ++p;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++star_n;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace trustformers
