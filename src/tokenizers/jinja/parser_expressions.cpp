#include <algorithm>
#include <array>
#include <utility>

#include "parser.h"

namespace trustformers::jinja {

ExpressionPtr Parser::tuple_expression(bool with_conditional, Names ends) {
  const int line = current().line;
  const auto at_end = [&] {
    return current().kind == TokenKind::output_end || current().kind == TokenKind::statement_end || at_op(")") ||
           at_any(ends);
  };
  ListDisplay tuple{true, {}};
  bool is_tuple = false;
  while (!at_end()) {
    tuple.items.push_back(with_conditional ? expression() : disjunction());
    if (!skip_op(",")) break;
    is_tuple = true;
  }
  if (!is_tuple && tuple.items.empty()) unexpected("an expression");
  if (!is_tuple) return std::move(tuple.items.front());
  return make(line, std::move(tuple));
}

ExpressionPtr Parser::expression() {
  const Nesting nesting(*this);
  const int line = current().line;
  ExpressionPtr result = disjunction();
  if (!skip_name("if")) return result;
  Conditional conditional;
  conditional.value = std::move(result);
  conditional.condition = disjunction();
  if (skip_name("else")) conditional.otherwise = expression();
  return make(line, std::move(conditional));
}

ExpressionPtr Parser::disjunction() {
  const int line = current().line;
  ExpressionPtr first = conjunction();
  if (!at_name("or")) return first;
  Logical result;
  result.operands.push_back(std::move(first));
  while (skip_name("or")) result.operands.push_back(conjunction());
  return make(line, std::move(result));
}

ExpressionPtr Parser::conjunction() {
  const int line = current().line;
  ExpressionPtr first = negation();
  if (!at_name("and")) return first;
  Logical result;
  result.is_and = true;
  result.operands.push_back(std::move(first));
  while (skip_name("and")) result.operands.push_back(negation());
  return make(line, std::move(result));
}

ExpressionPtr Parser::negation() {
  const int line = current().line;
  if (!skip_name("not")) return comparison();
  const Nesting nesting(*this);
  return make(line, Unary{Unary::Kind::logical_not, negation()});
}

ExpressionPtr Parser::comparison() {
  static constexpr std::array<std::pair<std::string_view, Comparator>, 6> comparators = {
      {{"==", Comparator::equal},
       {"!=", Comparator::not_equal},
       {"<", Comparator::less},
       {"<=", Comparator::less_equal},
       {">", Comparator::greater},
       {">=", Comparator::greater_equal}}};
  const int line = current().line;
  ExpressionPtr first = sum();
  Comparison result;
  for (;;) {
    const auto* known =
        std::find_if(comparators.begin(), comparators.end(), [&](const auto& entry) { return at_op(entry.first); });
    Comparator comparator = Comparator::in;
    if (known != comparators.end()) {
      comparator = known->second;
      ++at_;
    } else if (at_name("not") && is_name(ahead(), "in")) {
      comparator = Comparator::not_in;
      at_ += 2;
    } else if (!skip_name("in")) {
      break;
    }
    result.rest.emplace_back(comparator, sum());
  }
  if (result.rest.empty()) return first;
  result.first = std::move(first);
  return make(line, std::move(result));
}

ExpressionPtr Parser::sum() {
  const int line = current().line;
  ExpressionPtr first = concatenation();
  if (!at_op("+") && !at_op("-")) return first;
  Arithmetic result;
  result.first = std::move(first);
  while (at_op("+") || at_op("-")) {
    const Operator op = take().text == "+" ? Operator::add : Operator::subtract;
    result.rest.emplace_back(op, concatenation());
  }
  return make(line, std::move(result));
}

ExpressionPtr Parser::concatenation() {
  const int line = current().line;
  ExpressionPtr first = product();
  if (!at_op("~")) return first;
  Concatenation result;
  result.parts.push_back(std::move(first));
  while (skip_op("~")) result.parts.push_back(product());
  return make(line, std::move(result));
}

ExpressionPtr Parser::product() {
  static constexpr std::array<std::pair<std::string_view, Operator>, 4> operators = {
      {{"*", Operator::multiply}, {"/", Operator::divide}, {"//", Operator::floor_divide}, {"%", Operator::modulo}}};
  const int line = current().line;
  ExpressionPtr first = power();
  Arithmetic result;
  for (;;) {
    const auto* known =
        std::find_if(operators.begin(), operators.end(), [&](const auto& entry) { return at_op(entry.first); });
    if (known == operators.end()) break;
    ++at_;
    result.rest.emplace_back(known->second, power());
  }
  if (result.rest.empty()) return first;
  result.first = std::move(first);
  return make(line, std::move(result));
}

ExpressionPtr Parser::power() {
  const int line = current().line;
  ExpressionPtr first = unary(true);
  if (!at_op("**")) return first;
  Arithmetic result;
  result.first = std::move(first);
  while (skip_op("**")) result.rest.emplace_back(Operator::power, unary(true));  // Jinja2 groups to the left
  return make(line, std::move(result));
}

ExpressionPtr Parser::unary(bool with_filters) {
  const int line = current().line;
  ExpressionPtr result;
  if (at_op("-") || at_op("+")) {
    const Nesting nesting(*this);
    const auto kind = take().text == "-" ? Unary::Kind::negative : Unary::Kind::positive;
    result = make(line, Unary{kind, unary(false)});
  } else {
    result = primary();
  }
  return suffixes(std::move(result), with_filters);
}

ExpressionPtr Parser::primary() {
  const int line = current().line;
  switch (current().kind) {
    case TokenKind::name: {
      std::string name = take().text;
      if (name == "true" || name == "True") return make(line, Literal{Value::boolean(true)});
      if (name == "false" || name == "False") return make(line, Literal{Value::boolean(false)});
      if (name == "none" || name == "None") return make(line, Literal{});
      special_names_.varargs += name == "varargs" ? 1 : 0;
      special_names_.kwargs += name == "kwargs" ? 1 : 0;
      special_names_.caller += name == "caller" ? 1 : 0;
      return make(line, Name{std::move(name)});
    }
    case TokenKind::string: {
      std::string text;
      while (current().kind == TokenKind::string) text += take().text;
      return make(line, Literal{Value::string(std::move(text))});
    }
    case TokenKind::integer: return make(line, Literal{Value::integer(take().integer)});
    case TokenKind::floating: return make(line, Literal{Value::floating(take().floating)});
    default: break;
  }
  if (skip_op("(")) {
    if (skip_op(")")) return make(line, ListDisplay{true, {}});
    ExpressionPtr inner = tuple_expression(true);
    expect_op(")");
    return inner;
  }
  if (skip_op("[")) return list_display();
  if (skip_op("{")) return dict_display();
  unexpected("an expression");
}

ExpressionPtr Parser::list_display() {
  const int line = current().line;
  ListDisplay result;
  while (!skip_op("]")) {
    if (!result.items.empty()) {
      expect_op(",");
      if (skip_op("]")) break;
    }
    result.items.push_back(expression());
  }
  return make(line, std::move(result));
}

ExpressionPtr Parser::dict_display() {
  const int line = current().line;
  DictDisplay result;
  while (!skip_op("}")) {
    if (!result.entries.empty()) {
      expect_op(",");
      if (skip_op("}")) break;
    }
    ExpressionPtr key = expression();
    expect_op(":");
    result.entries.emplace_back(std::move(key), expression());
  }
  return make(line, std::move(result));
}

ExpressionPtr Parser::suffixes(ExpressionPtr base, bool with_filters) {
  const int line = base->line;
  Suffixed chain;
  while (subscript_suffix(chain)) {
  }
  while (with_filters && filter_suffix(chain)) {
  }
  if (chain.suffixes.empty()) return base;
  chain.base = std::move(base);
  return make(line, std::move(chain));
}

bool Parser::subscript_suffix(Suffixed& chain) {
  const int line = current().line;
  if (skip_op(".")) {
    if (current().kind == TokenKind::integer)
      chain.suffixes.push_back({line, Subscript{make(line, Literal{Value::integer(take().integer)})}});
    else
      chain.suffixes.push_back({line, Attribute{any_name()}});
  } else if (skip_op("[")) {
    chain.suffixes.push_back({line, bracket()});
  } else if (at_op("(")) {
    chain.suffixes.push_back({line, Call{arguments()}});
  } else {
    return false;
  }
  return true;
}

bool Parser::filter_suffix(Suffixed& chain) {
  const int line = current().line;
  if (skip_op("|"))
    chain.suffixes.push_back({line, filter()});
  else if (skip_name("is"))
    chain.suffixes.push_back({line, test()});
  else if (at_op("("))
    chain.suffixes.push_back({line, Call{arguments()}});
  else
    return false;
  return true;
}

std::variant<Attribute, Subscript, Slice, Call, Filter, Test> Parser::bracket() {
  const int line = current().line;
  ExpressionPtr first = at_op(":") ? nullptr : expression();
  if (at_op(",")) {  // x[1, 2] is x[(1, 2)]
    ListDisplay tuple{true, {}};
    tuple.items.push_back(std::move(first));
    while (skip_op(",")) tuple.items.push_back(expression());
    expect_op("]");
    return Subscript{make(line, std::move(tuple))};
  }
  if (skip_op("]")) return Subscript{std::move(first)};
  Slice slice;
  slice.start = std::move(first);
  expect_op(":");
  if (!at_op("]") && !at_op(":")) slice.stop = expression();
  if (skip_op(":") && !at_op("]")) slice.step = expression();
  expect_op("]");
  return slice;
}

std::string Parser::dotted_name() {
  std::string name = any_name();
  while (skip_op(".")) name += "." + any_name();
  return name;
}

Filter Parser::filter() {
  Filter result;
  result.name = dotted_name();
  if (at_op("(")) result.arguments = arguments();
  return result;
}

Test Parser::test() {
  Test result;
  result.negated = skip_name("not");
  result.name = dotted_name();
  const TokenKind next = current().kind;
  if (at_op("(")) {
    result.arguments = arguments();
  } else if ((next == TokenKind::name && !at_any({"else", "or", "and", "if"})) || next == TokenKind::string ||
             next == TokenKind::integer || next == TokenKind::floating || at_op("[") || at_op("{")) {
    check(!at_name("is"), ErrorCode::parse, "[chat_template] line ", current().line, ": tests cannot be chained");
    Argument argument;
    argument.value = suffixes(primary(), false);
    result.arguments.push_back(std::move(argument));
  }
  return result;
}

std::vector<Argument> Parser::arguments() {
  const Nesting nesting(*this);
  std::vector<Argument> result;
  bool named = false;
  expect_op("(");
  while (!skip_op(")")) {
    if (!result.empty()) {
      expect_op(",");
      if (skip_op(")")) break;
    }
    Argument argument;
    if (skip_op("**")) {
      argument.kind = Argument::Kind::unpacked_dict;
    } else if (skip_op("*")) {
      argument.kind = Argument::Kind::unpacked_list;
    } else if (current().kind == TokenKind::name && is_op(ahead(), "=")) {
      argument.kind = Argument::Kind::named;
      argument.name = take().text;
      ++at_;
      named = true;
    } else {
      check(!named, ErrorCode::parse, "[chat_template] line ", current().line,
            ": a positional argument follows a named one");
    }
    argument.value = expression();
    result.push_back(std::move(argument));
  }
  return result;
}

}  // namespace trustformers::jinja
