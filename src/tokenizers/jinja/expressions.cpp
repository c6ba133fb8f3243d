#include <array>
#include <type_traits>
#include <variant>

#include "builtins.h"
#include "interpreter.h"
#include "operators.h"
#include "print.h"

namespace trustformers::jinja {

Value Interpreter::evaluate(const Expression& expression, const ScopePtr& scope) {
  const Budget::Level level(budget_);
  budget_.step();
  line_ = expression.line;
  return std::visit(
      [&](const auto& node) -> Value {
        using T = std::decay_t<decltype(node)>;
        if constexpr (std::is_same_v<T, Literal>) {
          return node.value;
        } else if constexpr (std::is_same_v<T, Name>) {
          return evaluate_name(node.name, *scope);
        } else if constexpr (std::is_same_v<T, ListDisplay>) {
          std::vector<Value> items;
          for (const ExpressionPtr& item : node.items) items.push_back(evaluate(*item, scope));
          return node.tuple ? Value::tuple(std::move(items)) : Value::list(std::move(items));
        } else if constexpr (std::is_same_v<T, DictDisplay>) {
          Dict dict;
          for (const auto& [key, value] : node.entries) {
            const Value name = evaluate(*key, scope);
            dict.set(name, evaluate(*value, scope));
          }
          return Value::dict(std::move(dict));
        } else if constexpr (std::is_same_v<T, Arithmetic>) {
          Value result = evaluate(*node.first, scope);
          for (const auto& [op, operand] : node.rest)
            result = arithmetic(op, result, evaluate(*operand, scope), budget_);
          return result;
        } else if constexpr (std::is_same_v<T, Concatenation>) {
          std::string text;
          for (const ExpressionPtr& part : node.parts) {
            const std::string piece = to_text(evaluate(*part, scope), budget_);
            budget_.produce(piece.size());
            text += piece;
          }
          return Value::string(std::move(text));
        } else if constexpr (std::is_same_v<T, Logical>) {
          Value result;
          for (const ExpressionPtr& operand : node.operands) {
            result = evaluate(*operand, scope);
            if (result.truthy() != node.is_and) break;
          }
          return result;
        } else if constexpr (std::is_same_v<T, Comparison>) {
          return Value::boolean(evaluate_comparison(node, scope));
        } else if constexpr (std::is_same_v<T, Unary>) {
          Value value = evaluate(*node.operand, scope);
          if (node.kind == Unary::Kind::logical_not) return Value::boolean(!value.truthy());
          const Value negative = negate(value);
          return node.kind == Unary::Kind::negative ? negative : value;
        } else if constexpr (std::is_same_v<T, Conditional>) {
          if (evaluate(*node.condition, scope).truthy()) return evaluate(*node.value, scope);
          if (node.otherwise != nullptr) return evaluate(*node.otherwise, scope);
          return Value::undefined("the inline if expression evaluated to false and has no else");
        } else {
          static_assert(std::is_same_v<T, Suffixed>);
          return evaluate_chain(node, scope);
        }
      },
      expression.node);
}

Value Interpreter::evaluate_name(const std::string& name, const Scope& scope) const {
  for (const Scope* place = &scope; place != nullptr; place = place->parent.get())
    if (const Value* found = place->find(name)) return *found;
  if (auto global = find_global(name)) return *global;
  return Value::undefined("'" + name + "' is undefined");
}

bool Interpreter::evaluate_comparison(const Comparison& comparison, const ScopePtr& scope) {
  Value left = evaluate(*comparison.first, scope);
  for (const auto& [comparator, operand] : comparison.rest) {
    Value right = evaluate(*operand, scope);
    if (!compare(comparator, left, right, budget_)) return false;
    left = std::move(right);
  }
  return true;
}

Value Interpreter::evaluate_chain(const Suffixed& chain, const ScopePtr& scope) {
  Value value = evaluate(*chain.base, scope);
  for (const Suffix& suffix : chain.suffixes) {
    budget_.step();
    line_ = suffix.line;
    value = apply_suffix(suffix, value, scope);
  }
  return value;
}

Value Interpreter::apply_suffix(const Suffix& suffix, const Value& value, const ScopePtr& scope) {
  const auto bound = [&](const ExpressionPtr& expression) {
    return expression == nullptr ? Value() : evaluate(*expression, scope);
  };
  return std::visit(
      [&](const auto& node) -> Value {
        using T = std::decay_t<decltype(node)>;
        if constexpr (std::is_same_v<T, Attribute>) {
          return attribute(value, node.name);
        } else if constexpr (std::is_same_v<T, Subscript>) {
          return subscript(value, evaluate(*node.index, scope));
        } else if constexpr (std::is_same_v<T, Slice>) {
          const Value start = bound(node.start);
          const Value stop = bound(node.stop);
          return slice(value, start, stop, bound(node.step), budget_);
        } else if constexpr (std::is_same_v<T, Call>) {
          return call(value, evaluate_arguments(node.arguments, scope));
        } else if constexpr (std::is_same_v<T, Filter>) {
          return apply_filter(node.name, value, evaluate_arguments(node.arguments, scope));
        } else {
          static_assert(std::is_same_v<T, Test>);
          const bool holds = apply_test(node.name, value, evaluate_arguments(node.arguments, scope));
          return Value::boolean(holds != node.negated);
        }
      },
      suffix.node);
}

CallArguments Interpreter::evaluate_arguments(const std::vector<Argument>& arguments, const ScopePtr& scope) {
  CallArguments result;
  for (const Argument& argument : arguments) {
    Value value = evaluate(*argument.value, scope);
    switch (argument.kind) {
      case Argument::Kind::positional: result.positional.push_back(std::move(value)); break;
      case Argument::Kind::named: result.named.emplace_back(argument.name, std::move(value)); break;
      case Argument::Kind::unpacked_list:
        for (const Value& item : iterate(value, budget_)) result.positional.push_back(item);
        break;
      case Argument::Kind::unpacked_dict: {
        const Dict* dict = value.get<Dict>();
        value.require_defined();
        check(dict != nullptr, ErrorCode::invalid_argument, "[chat_template] the argument after ** must be a mapping");
        for (const auto& [key, item] : dict->entries()) {
          check(key.is_string(), ErrorCode::invalid_argument, "[chat_template] keywords must be strings");
          result.named.emplace_back(key.text(), item);
        }
        break;
      }
    }
  }
  return result;
}

Value Interpreter::apply_filter(std::string_view name, const Value& value, const CallArguments& arguments) {
  const FilterFunction filter = find_filter(name);
  check(filter != nullptr, ErrorCode::unsupported, "[chat_template] the filter '", name, "'");
  return filter(*this, value, arguments);
}

bool Interpreter::apply_test(std::string_view name, const Value& value, const CallArguments& arguments) {
  const TestFunction test = find_test(name);
  check(test != nullptr, ErrorCode::unsupported, "[chat_template] the test '", name, "'");
  return test(*this, value, arguments);
}

}  // namespace trustformers::jinja
