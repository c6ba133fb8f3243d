#include "../base/error.h"
#include "regex.h"
#include "unicode.h"

namespace trustformers {
namespace {

// PCRE2's own \s also takes U+180E, its \w forgets marks, and its \h is a blank rather than a hexadecimal digit.
constexpr std::string_view space_members = "\\t-\\r\\x{85}\\p{Z}";
// Numbers that are no digits count as word characters in Latin-1 alone; circled and squared letters always.
constexpr std::string_view word_members =
    "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{B2}\\x{B3}\\x{B9}\\x{BC}-\\x{BE}"
    "\\x{24B6}-\\x{24E9}\\x{1F130}-\\x{1F149}\\x{1F150}-\\x{1F169}\\x{1F170}-\\x{1F189}";
constexpr std::string_view hex_members = "0-9a-fA-F";

class Translator {
 public:
  Translator(std::string_view pattern, std::string_view where) : pattern_(pattern), where_(where) {}

  std::string run() {
    std::string out;
    while (at_ < pattern_.size()) {
      if (pattern_[at_] == '[') {
        out += character_class(0);
      } else if (pattern_[at_] == '\\') {
        out += escape(false);
      } else {
        out += pattern_[at_++];
      }
    }
    return out;
  }

 private:
  /// A backslash and what belongs to it; `inside` a class the members come without brackets.
  std::string escape(bool inside) {
    check(at_ + 1 < pattern_.size(), ErrorCode::parse, "[", where_, "] the pattern ends in a backslash: ", pattern_);
    const char name = pattern_[at_ + 1];
    const auto positive = [&](std::string_view members) {
      return inside ? std::string(members) : str('[', members, ']');
    };
    const auto negative = [&](std::string_view members, std::string_view own) {
      return inside ? std::string(own) : str("[^", members, ']');
    };
    at_ += 2;
    switch (name) {
      case 's': return positive(space_members);
      case 'w': return positive(word_members);
      case 'h': return positive(hex_members);
      case 'S': return negative(space_members, "\\S");
      case 'W': return negative(word_members, "\\W");
      case 'H':
        check(!inside, ErrorCode::unsupported, "[", where_, "] \\H inside a character class: ", pattern_);
        return negative(hex_members, "");
      default: break;
    }
    std::string out(pattern_.substr(at_ - 2, 2));
    if ((name == 'p' || name == 'P' || name == 'x') && at_ < pattern_.size() && pattern_[at_] == '{') {
      const std::size_t end = pattern_.find('}', at_);
      check(end != std::string_view::npos, ErrorCode::parse, "[", where_, "] \\", name, "{ without }: ", pattern_);
      out += pattern_.substr(at_, end + 1 - at_);
      at_ = end + 1;
    }
    return out;
  }

  /// Reads `[...]` at at_ and gives an expression that matches one code point.
  std::string character_class(int depth) {
    check(depth < 16, ErrorCode::unsupported, "[", where_, "] character classes nest too deeply: ", pattern_);
    ++at_;
    bool negated = false;
    if (at_ < pattern_.size() && pattern_[at_] == '^') {
      negated = true;
      ++at_;
    }
    std::string members;
    std::vector<std::string> others;  // nested classes that cannot be flattened
    std::vector<std::string> intersected;
    bool first = true;
    for (;; first = false) {
      check(at_ < pattern_.size(), ErrorCode::parse, "[", where_, "] a character class without ]: ", pattern_);
      const char c = pattern_[at_];
      if (c == ']' && !first) break;
      if (c == '\\') {
        members += escape(true);
      } else if (pattern_.substr(at_, 2) == "[:") {
        const std::size_t end = pattern_.find(":]", at_);
        check(end != std::string_view::npos, ErrorCode::parse, "[", where_, "] [: without :]: ", pattern_);
        members += pattern_.substr(at_, end + 2 - at_);
        at_ = end + 2;
      } else if (c == '[') {
        std::string nested = character_class(depth + 1);
        if (nested.size() > 2 && nested[0] == '[' && nested[1] != '^') {
          members += std::string_view(nested).substr(1, nested.size() - 2);
        } else {
          others.push_back(std::move(nested));
        }
      } else if (pattern_.substr(at_, 2) == "&&") {
        at_ += 2;
        intersected.push_back(one_of(std::exchange(members, {}), std::exchange(others, {})));
      } else {
        members += c == ']' ? "\\]" : std::string(1, c);
        ++at_;
      }
    }
    ++at_;
    if (intersected.empty() && others.empty()) return str(negated ? "[^" : "[", members, ']');
    std::string all = one_of(members, others);
    for (auto it = intersected.rbegin(); it != intersected.rend(); ++it) all = str("(?=", *it, ')', all);
    return negated ? str("(?:(?!", all, ")(?s:.))") : str("(?:", all, ')');
  }

  std::string one_of(const std::string& members, const std::vector<std::string>& others) const {
    check(!members.empty() || !others.empty(), ErrorCode::unsupported, "[", where_,
          "] an empty side of &&: ", pattern_);
    std::string out = "(?:";
    if (!members.empty()) out += str('[', members, ']');
    for (std::size_t i = 0; i < others.size(); ++i) out += str(i > 0 || !members.empty() ? "|" : "", others[i]);
    return out + ')';
  }

  std::string_view pattern_;
  std::string_view where_;
  std::size_t at_ = 0;
};

}  // namespace

std::string to_pcre2_syntax(std::string_view pattern, std::string_view where) {
  return Translator(pattern, where).run();
}

}  // namespace trustformers
