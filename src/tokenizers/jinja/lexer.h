// Splits a template into tokens as Jinja2 does with trim_blocks and lstrip_blocks set, the way transformers uses it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace trustformers::jinja {

enum class TokenKind {
  data,  // text outside of tags
  statement_begin,
  statement_end,
  output_begin,
  output_end,
  name,
  string,
  integer,
  floating,
  op,
  end
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;  // data, name, the value of a string, or the operator
  std::int64_t integer = 0;
  double floating = 0;
  int line = 1;
};

/// Comments are dropped, raw blocks become data, one newline at the end of `source` is dropped, "\r\n" and "\r" become
/// "\n". Errors: parse, with the line. The last token is TokenKind::end.
std::vector<Token> tokenize(std::string_view source);

}  // namespace trustformers::jinja
