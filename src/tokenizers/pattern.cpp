#include "pattern.h"

#include "scanners.h"

namespace trustformers {
namespace {

Match match(std::size_t begin, std::size_t end, bool matched) {
  return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end), matched};
}

class Literal final : public Pattern {
 public:
  explicit Literal(std::string text) : text_(std::move(text)) {}
  void split(std::string_view text, std::vector<Match>& out) const override {
    std::size_t at = 0;
    while (!text_.empty()) {
      const std::size_t found = text.find(text_, at);
      if (found == std::string_view::npos) break;
      if (found > at) out.push_back(match(at, found, false));
      at = found + text_.size();
      out.push_back(match(found, at, true));
    }
    if (at < text.size()) out.push_back(match(at, text.size(), false));
  }

 private:
  std::string text_;
};

class ByRegex final : public Pattern {
 public:
  explicit ByRegex(Regex regex) : regex_(std::move(regex)) {}
  void split(std::string_view text, std::vector<Match>& out) const override { regex_.split(text, out); }

 private:
  Regex regex_;
};

class ByScanner final : public Pattern {
 public:
  explicit ByScanner(Scanner scan) : scan_(scan) {}
  void split(std::string_view text, std::vector<Match>& out) const override {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = scan_(text, at);
      out.push_back(match(at, end, true));
      at = end;
    }
  }

 private:
  Scanner scan_;
};

}  // namespace

std::unique_ptr<Pattern> make_regex_pattern(std::string_view pattern, std::string_view where) {
  if (const Scanner scan = find_scanner(pattern)) return std::make_unique<ByScanner>(scan);
  return std::make_unique<ByRegex>(Regex(pattern, where));
}

std::unique_ptr<Pattern> make_pattern(const Spec& spec) {
  if (spec.has("String")) return std::make_unique<Literal>(spec.text("String"));
  return make_regex_pattern(spec.text("Regex"), spec.path());
}

}  // namespace trustformers
