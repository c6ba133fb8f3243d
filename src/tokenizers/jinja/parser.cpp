#include "parser.h"

#include <algorithm>
#include <utility>

namespace trustformers::jinja {
namespace {

std::string describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::data: return "text";
    case TokenKind::statement_begin: return "'{%'";
    case TokenKind::statement_end: return "'%}'";
    case TokenKind::output_begin: return "'{{'";
    case TokenKind::output_end: return "'}}'";
    case TokenKind::string: return "a string";
    case TokenKind::integer:
    case TokenKind::floating: return "a number";
    case TokenKind::end: return "the end of the template";
    case TokenKind::name:
    case TokenKind::op: return "'" + token.text + "'";
  }
  return "";
}

}  // namespace

void Parser::unexpected(std::string_view expected) const {
  fail(ErrorCode::parse, "[chat_template] line ", current().line, ": expected ", expected, ", got ",
       describe(current()));
}

bool Parser::at_any(Names names) const {
  return current().kind == TokenKind::name && std::find(names.begin(), names.end(), current().text) != names.end();
}
bool Parser::skip_op(std::string_view op) {
  const bool found = at_op(op);
  if (found) ++at_;
  return found;
}
bool Parser::skip_name(std::string_view name) {
  const bool found = at_name(name);
  if (found) ++at_;
  return found;
}
void Parser::expect_op(std::string_view op) {
  if (!skip_op(op)) unexpected("'" + std::string(op) + "'");
}
void Parser::expect_name(std::string_view name) {
  if (!skip_name(name)) unexpected("'" + std::string(name) + "'");
}
void Parser::expect(TokenKind kind, std::string_view what) {
  if (current().kind != kind) unexpected(what);
  ++at_;
}
std::string Parser::any_name() {
  if (current().kind != TokenKind::name) unexpected("a name");
  return take().text;
}

Block Parser::parse() {
  Block result = block({});
  if (current().kind != TokenKind::end) unexpected("the end of the template");
  return result;
}

Block Parser::block(Names ends) {
  const Nesting nesting(*this);
  Block result;
  for (;;) {
    const int line = current().line;
    switch (current().kind) {
      case TokenKind::data: result.push_back({line, Data{take().text}}); break;
      case TokenKind::output_begin: {
        ++at_;
        ExpressionPtr value = tuple_expression(true);
        expect(TokenKind::output_end, "'}}'");
        result.push_back({line, Output{std::move(value)}});
        break;
      }
      case TokenKind::statement_begin: {
        ++at_;
        if (at_any(ends)) return result;
        result.push_back(statement());
        result.back().line = line;
        expect(TokenKind::statement_end, "'%}'");
        break;
      }
      default:
        if (ends.size() > 0) unexpected("'" + std::string(*(ends.end() - 1)) + "'");
        return result;
    }
  }
}

Block Parser::block_until(std::string_view end) {
  expect(TokenKind::statement_end, "'%}'");
  Block result = block({end});
  ++at_;
  return result;
}

Statement Parser::statement() {
  const int line = current().line;
  const std::string name = any_name();
  if (name == "for") return {line, for_statement()};
  if (name == "if") return {line, if_statement()};
  if (name == "set") return set_statement();
  if (name == "with") return {line, with_statement()};
  if (name == "macro") return {line, macro_statement()};
  if (name == "call") return {line, call_statement()};
  if (name == "filter") return {line, filter_statement()};
  if (name == "generation") return {line, Generation{block_until("endgeneration")}};
  if (name == "break" || name == "continue") {
    check(loops_ > 0, ErrorCode::parse, "[chat_template] line ", line, ": '", name, "' outside of a loop");
    if (name == "break") return {line, Break{}};
    return {line, Continue{}};
  }
  for (const std::string_view known :
       {"include", "import", "from", "extends", "block", "autoescape", "do", "trans", "debug"})
    check(name != known, ErrorCode::unsupported, "[chat_template] line ", line, ": the statement '", name, "'");
  fail(ErrorCode::parse, "[chat_template] line ", line, ": unknown statement '", name, "'");
}

Target Parser::target_item() {
  Target item;
  if (skip_op("(")) {
    item = target();
    expect_op(")");
  } else {
    item.name = any_name();
    if (skip_op(".")) item.member = any_name();
  }
  return item;
}

Target Parser::target() {
  const Nesting nesting(*this);
  Target first = target_item();
  if (!at_op(",")) return first;
  Target list;
  list.is_list = true;
  list.items.push_back(std::move(first));
  while (skip_op(",")) {
    const bool more = at_op("(") || (current().kind == TokenKind::name && !at_name("in"));
    if (!more) break;
    list.items.push_back(target_item());
  }
  return list;
}

For Parser::for_statement() {
  For result;
  result.target = target();
  expect_name("in");
  result.iterable = tuple_expression(false, {"recursive"});
  if (skip_name("if")) result.condition = expression();
  result.recursive = skip_name("recursive");
  expect(TokenKind::statement_end, "'%}'");
  ++loops_;
  result.body = block({"else", "endfor"});
  --loops_;
  if (take().text == "else") result.otherwise = block_until("endfor");
  return result;
}

If Parser::if_statement() {
  If result;
  for (;;) {
    ExpressionPtr condition = tuple_expression(false);
    expect(TokenKind::statement_end, "'%}'");
    result.branches.emplace_back(std::move(condition), block({"elif", "else", "endif"}));
    const std::string next = take().text;
    if (next == "endif") return result;
    if (next == "else") {
      result.otherwise = block_until("endif");
      return result;
    }
  }
}

Statement Parser::set_statement() {
  const int line = current().line;
  Target assigned = target();
  if (skip_op("=")) return {line, Set{std::move(assigned), tuple_expression(true)}};
  SetBlock result;
  result.target = std::move(assigned);
  while (skip_op("|")) result.filters.push_back(filter());
  result.body = block_until("endset");
  return {line, std::move(result)};
}

With Parser::with_statement() {
  With result;
  while (current().kind != TokenKind::statement_end) {
    if (!result.targets.empty()) expect_op(",");
    Target assigned = target();
    expect_op("=");
    result.targets.emplace_back(std::move(assigned), expression());
  }
  result.body = block_until("endwith");
  return result;
}

std::vector<Parameter> Parser::parameters() {
  std::vector<Parameter> result;
  expect_op("(");
  while (!skip_op(")")) {
    if (!result.empty()) {
      expect_op(",");
      if (skip_op(")")) break;
    }
    Parameter parameter;
    parameter.name = any_name();
    if (skip_op("="))
      parameter.fallback = expression();
    else
      check(result.empty() || result.back().fallback == nullptr, ErrorCode::parse, "[chat_template] line ",
            current().line, ": a parameter without default follows one with a default");
    result.push_back(std::move(parameter));
  }
  return result;
}

void Parser::macro_body(Macro& macro, std::string_view end) {
  const int loops = std::exchange(loops_, 0);
  const SpecialNames before = special_names_;
  macro.body = block_until(end);
  macro.takes_varargs = special_names_.varargs > before.varargs;
  macro.takes_kwargs = special_names_.kwargs > before.kwargs;
  macro.takes_caller = special_names_.caller > before.caller;
  loops_ = loops;
}

Macro Parser::macro_statement() {
  Macro result;
  result.name = any_name();
  result.parameters = parameters();
  macro_body(result, "endmacro");
  return result;
}

CallBlock Parser::call_statement() {
  CallBlock result;
  result.caller.name = "caller";
  if (at_op("(")) result.caller.parameters = parameters();
  ExpressionPtr call = expression();
  auto* chain = std::get_if<Suffixed>(&call->node);
  check(chain != nullptr && std::holds_alternative<Call>(chain->suffixes.back().node), ErrorCode::parse,
        "[chat_template] line ", current().line, ": expected a call");
  result.arguments = std::move(std::get<Call>(chain->suffixes.back().node).arguments);
  chain->suffixes.pop_back();
  result.callee = std::move(call);
  macro_body(result.caller, "endcall");
  return result;
}

FilterBlock Parser::filter_statement() {
  FilterBlock result;
  do {
    result.filters.push_back(filter());
  } while (skip_op("|"));
  result.body = block_until("endfilter");
  return result;
}

}  // namespace trustformers::jinja
