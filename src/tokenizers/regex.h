// Regular expressions as tokenizer.json writes them (Oniguruma's Ruby syntax), run by PCRE2.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace trustformers {

/// A matched part of a text, or the gap between two of them; in bytes.
struct Match {
  std::uint32_t begin;
  std::uint32_t end;
  bool matched;
};

/// A compiled pattern; immutable, so threads may share it. Errors: parse (not a pattern), unsupported (a class feature
/// without counterpart), out_of_range (a match that needs more steps or memory than the limits allow).
class Regex {
 public:
  explicit Regex(std::string_view pattern, std::string_view where = "regex");
  ~Regex();
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;

  /// Covers `text` (valid UTF-8) with matches and the gaps between them, in order.
  void split(std::string_view text, std::vector<Match>& out) const;

 private:
  struct Compiled;
  std::unique_ptr<const Compiled> compiled_;
};

/// The same pattern in PCRE2's syntax: spaces, words and hexadecimal digits as Oniguruma understands them, nested and
/// intersected character classes written out.
std::string to_pcre2_syntax(std::string_view pattern, std::string_view where);

}  // namespace trustformers
