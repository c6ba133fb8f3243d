#include "regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>

#include "../base/error.h"
#include "../base/utf8.h"
#include "unicode.h"

namespace trustformers {
namespace {

constexpr std::size_t max_pattern_bytes = 1 << 16;
constexpr std::uint32_t match_limit = 10'000'000;  // steps of one match
constexpr std::uint32_t heap_limit_kib = 256 << 10;

struct FreeMatchData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeMatchContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

std::string message_of(int code) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

}  // namespace

struct Regex::Compiled {
  pcre2_code* code = nullptr;
  std::string where;
  Compiled() = default;
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;
  ~Compiled() { pcre2_code_free(code); }
};

Regex::Regex(std::string_view pattern, std::string_view where) {
  check(pattern.size() <= max_pattern_bytes, ErrorCode::unsupported, "[", where, "] a pattern of at most ",
        max_pattern_bytes, " bytes expected, got ", pattern.size());
  check(is_valid_utf8(pattern), ErrorCode::parse, "[", where, "] the pattern is not valid UTF-8");
  auto compiled = std::make_unique<Compiled>();
  compiled->where = where;
  const std::string text = to_pcre2_syntax(pattern, where);
  int error = 0;
  PCRE2_SIZE offset = 0;
  // Ruby's ^ and $ always mean lines. No \C: it would break code points apart.
  const std::uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_UTF_CHECK;
  compiled->code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), options, &error, &offset, nullptr);
  check(compiled->code != nullptr, ErrorCode::parse, "[", where, "] not a regular expression: ", pattern, " (",
        message_of(error), ")");
  // Without a compiler for this machine (WASM) the interpreter does the same.
  pcre2_jit_compile(compiled->code, PCRE2_JIT_COMPLETE);
  compiled_ = std::move(compiled);
}

Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

void Regex::split(std::string_view text, std::vector<Match>& out) const {
  const std::unique_ptr<pcre2_match_data, FreeMatchData> data(
      pcre2_match_data_create_from_pattern(compiled_->code, nullptr));
  const std::unique_ptr<pcre2_match_context, FreeMatchContext> limits(pcre2_match_context_create(nullptr));
  check(data && limits, ErrorCode::out_of_memory, "[", compiled_->where, "] no memory for a match");
  pcre2_set_match_limit(limits.get(), match_limit);
  pcre2_set_heap_limit(limits.get(), heap_limit_kib);
  const auto subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  std::size_t covered = 0;  // end of the last match
  std::size_t search = 0;   // where the next search begins
  std::size_t last_end = ~std::size_t{0};
  while (search <= text.size()) {
    const auto run = [&](std::uint32_t options) {
      return pcre2_match(compiled_->code, subject, text.size(), search, PCRE2_NO_UTF_CHECK | options, data.get(),
                         limits.get());
    };
    int result = run(0);
    if (result == PCRE2_ERROR_JIT_STACKLIMIT) result = run(PCRE2_NO_JIT);
    if (result == PCRE2_ERROR_NOMATCH) break;
    check(result >= 0, ErrorCode::out_of_range, "[", compiled_->where, "] matching gave up: ", message_of(result));
    const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(data.get());
    const std::size_t begin = bounds[0];
    const std::size_t end = bounds[1];
    // \K in a look-around can move the start of a match before what is already covered.
    check(begin <= end && begin >= covered, ErrorCode::unsupported, "[", compiled_->where,
          "] a match that runs backwards");
    if (begin == end && end == last_end) {  // an empty match right after the last one: try one code point on
      if (search >= text.size()) break;
      search += unicode::decode(text, search).size;
      continue;
    }
    if (covered < begin) out.push_back({static_cast<std::uint32_t>(covered), static_cast<std::uint32_t>(begin), false});
    out.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end), true});
    covered = search = last_end = end;
  }
  if (covered < text.size())
    out.push_back({static_cast<std::uint32_t>(covered), static_cast<std::uint32_t>(text.size()), false});
}

}  // namespace trustformers
