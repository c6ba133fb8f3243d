// From tokens to the tree, by Jinja2's grammar (statements of its core, the loop controls, and transformers'
// generation).
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "lexer.h"
#include "syntax.h"

namespace trustformers::jinja {

/// Parses a whole template. Errors: parse with the line; unsupported for statements of Jinja2 that need a loader or
/// another extension (`include`, `extends`, `do`, ...) and for recursive loops.
class Parser {
 public:
  explicit Parser(std::string_view source) : tokens_(tokenize(source)) {}
  Block parse();

 private:
  using Names = std::initializer_list<std::string_view>;
  class Nesting;

  // Statements (parser.cpp). A block ends at a statement named in `ends`, whose name is the current token then.
  Block block(Names ends);
  Block block_until(std::string_view end);
  Statement statement();
  For for_statement();
  If if_statement();
  Statement set_statement();
  With with_statement();
  Macro macro_statement();
  CallBlock call_statement();
  FilterBlock filter_statement();
  Target target();
  Target target_item();
  std::vector<Parameter> parameters();
  void macro_body(Macro& macro, std::string_view end);

  // Expressions (parser_expressions.cpp).
  ExpressionPtr tuple_expression(bool with_conditional, Names ends = {});
  ExpressionPtr expression();
  ExpressionPtr disjunction();
  ExpressionPtr conjunction();
  ExpressionPtr negation();
  ExpressionPtr comparison();
  ExpressionPtr sum();
  ExpressionPtr concatenation();
  ExpressionPtr product();
  ExpressionPtr power();
  ExpressionPtr unary(bool with_filters);
  ExpressionPtr primary();
  ExpressionPtr list_display();
  ExpressionPtr dict_display();
  ExpressionPtr suffixes(ExpressionPtr base, bool with_filters);
  bool subscript_suffix(Suffixed& chain);
  bool filter_suffix(Suffixed& chain);
  std::variant<Attribute, Subscript, Slice, Call, Filter, Test> bracket();
  Filter filter();
  Test test();
  std::vector<Argument> arguments();
  std::string dotted_name();

  // Tokens.
  const Token& current() const { return tokens_[at_]; }
  const Token& ahead() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
  Token take() { return at_ + 1 < tokens_.size() ? std::move(tokens_[at_++]) : tokens_[at_]; }
  static bool is_op(const Token& token, std::string_view op) { return token.kind == TokenKind::op && token.text == op; }
  static bool is_name(const Token& token, std::string_view name) {
    return token.kind == TokenKind::name && token.text == name;
  }
  bool at_op(std::string_view op) const { return is_op(current(), op); }
  bool at_name(std::string_view name) const { return is_name(current(), name); }
  bool at_any(Names names) const;
  bool skip_op(std::string_view op);
  bool skip_name(std::string_view name);
  void expect_op(std::string_view op);
  void expect_name(std::string_view name);
  void expect(TokenKind kind, std::string_view what);
  std::string any_name();
  [[noreturn]] void unexpected(std::string_view expected) const;
  template <class Node>
  static ExpressionPtr make(int line, Node node) {
    auto result = std::make_unique<Expression>();
    result->line = line;
    result->node = std::move(node);
    return result;
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
  int loops_ = 0;  // for statements around here, since the last macro
  struct SpecialNames {
    int varargs = 0, kwargs = 0, caller = 0;
  } special_names_;  // how often each was read: a macro takes those that its body names
};

/// Counts one level of nesting while it lives. Errors: parse when deeper than max_syntax_depth.
class Parser::Nesting {
 public:
  explicit Nesting(Parser& parser) : parser_(parser) {
    check(parser.depth_ < max_syntax_depth, ErrorCode::parse, "[chat_template] line ", parser.current().line,
          ": nested deeper than ", max_syntax_depth, " levels");
    ++parser.depth_;
  }
  ~Nesting() { --parser_.depth_; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;

 private:
  Parser& parser_;
};

}  // namespace trustformers::jinja
