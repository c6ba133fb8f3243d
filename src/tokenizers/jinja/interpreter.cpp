#include "interpreter.h"

#include <algorithm>
#include <mutex>
#include <type_traits>
#include <variant>

#include "print.h"

namespace trustformers::jinja {

const Value* Scope::find(std::string_view name) const {
  for (const auto& [key, value] : values)
    if (key == name) return &value;
  return nullptr;
}

void Scope::set(std::string_view name, Value value) {
  for (auto& [key, known] : values) {
    if (key == name) {
      known = std::move(value);
      return;
    }
  }
  values.emplace_back(name, std::move(value));
}

Interpreter::~Interpreter() {
  for (const ScopePtr& scope : captured_) scope->values.clear();
  for (const auto& space : namespaces_) space->members.clear();
}

std::string Interpreter::render(const Block& block, const std::vector<std::pair<std::string, Value>>& variables) {
  const auto root = std::make_shared<Scope>();
  for (const auto& [name, value] : variables) root->set(name, value);
  const auto scope = std::make_shared<Scope>();
  scope->parent = root;
  std::string out;
  with_context([&] { return str("while rendering line ", line_, " of the chat template"); },
               [&] { execute(block, scope, out); });
  return out;
}

std::tm Interpreter::now() const {
  if (now_) return *now_;
  static std::mutex mutex;  // std::localtime shares one result among threads
  const std::lock_guard lock(mutex);
  const std::time_t seconds = std::time(nullptr);
  const std::tm* local = std::localtime(&seconds);
  check(local != nullptr, ErrorCode::internal, "[chat_template] the clock has no local time");
  return *local;
}

Value Interpreter::make_namespace(std::vector<std::pair<std::string, Value>> members) {
  budget_.produce(sizeof(Namespace));
  namespaces_.push_back(std::make_shared<Namespace>());
  const auto space = namespaces_.back();
  for (auto& [name, value] : members) space->set(name, std::move(value));
  return Value(space);
}

Value Interpreter::call(const Value& callee, const CallArguments& arguments) {
  callee.require_defined();
  if (const auto* loop = callee.get<std::shared_ptr<LoopState>>(); loop && (*loop)->recurse) {
    check(arguments.positional.size() == 1 && arguments.named.empty(), ErrorCode::invalid_argument,
          "[chat_template] a recursive loop takes the items of the next level");
    const auto recurse = (*loop)->recurse;  // the loop may end while it runs
    return recurse(*this, arguments.positional[0]);
  }
  const auto* function = callee.get<std::shared_ptr<const Callable>>();
  check(function != nullptr, ErrorCode::invalid_argument, "[chat_template] '", callee.type_name(),
        "' object is not callable");
  return (*function)->call(*this, arguments);
}

void Interpreter::write(std::string_view text, std::string& out) {
  budget_.output(out.size() + text.size());
  budget_.produce(text.size());
  out.append(text);
}

Interpreter::Flow Interpreter::execute(const Block& block, const ScopePtr& scope, std::string& out) {
  const Budget::Level level(budget_);
  for (const Statement& statement : block) {
    budget_.step();
    line_ = statement.line;
    const Flow flow = execute(statement, scope, out);
    if (flow != Flow::normal) return flow;
  }
  return Flow::normal;
}

Interpreter::Flow Interpreter::execute(const Statement& statement, const ScopePtr& scope, std::string& out) {
  const auto filtered = [&](const std::vector<Filter>& filters, std::string text) {
    Value value = Value::string(std::move(text));
    for (const Filter& filter : filters)
      value = apply_filter(filter.name, value, evaluate_arguments(filter.arguments, scope));
    return value;
  };
  return std::visit(
      [&](const auto& node) {
        using T = std::decay_t<decltype(node)>;
        if constexpr (std::is_same_v<T, Data>) {
          write(node.text, out);
        } else if constexpr (std::is_same_v<T, Output>) {
          const Value value = evaluate(*node.value, scope);
          if (value.is_string())
            write(value.text(), out);
          else
            write(to_text(value, budget_), out);
        } else if constexpr (std::is_same_v<T, For>) {
          return run_for(node, scope, out);
        } else if constexpr (std::is_same_v<T, If>) {
          return run_if(node, scope, out);
        } else if constexpr (std::is_same_v<T, Set>) {
          assign(node.target, evaluate(*node.value, scope), *scope);
        } else if constexpr (std::is_same_v<T, SetBlock>) {
          assign(node.target, filtered(node.filters, run_nested(node.body, scope)), *scope);
        } else if constexpr (std::is_same_v<T, With>) {
          const auto inner = std::make_shared<Scope>();
          inner->parent = scope;
          for (const auto& [target, value] : node.targets) assign(target, evaluate(*value, scope), *inner);
          return execute(node.body, inner, out);
        } else if constexpr (std::is_same_v<T, Macro>) {
          scope->set(node.name, make_macro(node, scope));
        } else if constexpr (std::is_same_v<T, CallBlock>) {
          const Value callee = evaluate(*node.callee, scope);
          CallArguments arguments = evaluate_arguments(node.arguments, scope);
          arguments.named.emplace_back("caller", make_macro(node.caller, scope));
          write(to_text(call(callee, arguments), budget_), out);
        } else if constexpr (std::is_same_v<T, FilterBlock>) {
          write(to_text(filtered(node.filters, run_nested(node.body, scope)), budget_), out);
        } else if constexpr (std::is_same_v<T, Generation>) {
          const auto inner = std::make_shared<Scope>();
          inner->parent = scope;
          return execute(node.body, inner, out);
        } else if constexpr (std::is_same_v<T, Break>) {
          return Flow::stop;
        } else {
          static_assert(std::is_same_v<T, Continue>);
          return Flow::next;
        }
        return Flow::normal;
      },
      statement.node);
}

std::string Interpreter::run_nested(const Block& block, const ScopePtr& parent) {
  const auto scope = std::make_shared<Scope>();
  scope->parent = parent;
  std::string text;
  execute(block, scope, text);
  return text;
}

Interpreter::Flow Interpreter::run_if(const If& statement, const ScopePtr& scope, std::string& out) {
  for (const auto& [condition, body] : statement.branches)
    if (evaluate(*condition, scope).truthy()) return execute(body, scope, out);
  return execute(statement.otherwise, scope, out);
}

Elements Interpreter::loop_items(const For& statement, const ScopePtr& scope, const Value& iterable) {
  auto items = iterate(iterable, budget_);
  if (statement.condition == nullptr) return items;
  std::vector<Value> kept;
  for (const Value& item : items) {
    const auto inner = std::make_shared<Scope>();
    inner->parent = scope;
    assign(statement.target, item, *inner);
    if (evaluate(*statement.condition, inner).truthy()) kept.push_back(item);
  }
  return Elements(Value::list(std::move(kept)).list_pointer());
}

Interpreter::Flow Interpreter::run_for(const For& statement, const ScopePtr& scope, std::string& out) {
  return run_rounds(statement, scope, evaluate(*statement.iterable, scope), 1, out);
}

Interpreter::Flow Interpreter::run_rounds(const For& statement, const ScopePtr& scope, const Value& iterable, int depth,
                                          std::string& out) {
  const auto loop = std::make_shared<LoopState>();
  const Elements items = loop_items(statement, scope, iterable);
  loop->items = items.list();
  loop->depth = depth;
  if (items.empty()) return execute(statement.otherwise, scope, out);
  struct Ending {  // the loop object may outlive the loop, its items may not
    LoopState& loop;
    ~Ending() {
      loop.recurse = nullptr;
      loop.items = nullptr;
      loop.changed.clear();
    }
  };
  const Ending ending{*loop};
  if (statement.recursive)
    loop->recurse = [&statement, scope, depth](Interpreter& self, const Value& inner_items) {
      std::string text;
      self.run_rounds(statement, scope, inner_items, depth + 1, text);
      return Value::string(std::move(text));
    };
  ScopePtr inner;
  for (std::size_t i = 0; i < items.size(); ++i) {
    budget_.step();
    loop->index = i;
    // Each round starts with fresh variables: what the last one set is gone.
    if (inner == nullptr || inner->captured) {
      inner = std::make_shared<Scope>();
      inner->parent = scope;
    }
    inner->values.clear();
    inner->set("loop", Value(loop));
    assign(statement.target, items[i], *inner);
    if (execute(statement.body, inner, out) == Flow::stop) break;
  }
  return Flow::normal;
}

void Interpreter::assign(const Target& target, const Value& value, Scope& scope) {
  if (target.is_list) {
    const auto parts = iterate(value, budget_);
    check(parts.size() == target.items.size(), ErrorCode::invalid_argument, "[chat_template] expected ",
          target.items.size(), " values to unpack, got ", parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i) assign(target.items[i], parts[i], scope);
  } else if (target.member.empty()) {
    scope.set(target.name, value);
  } else {
    const Value owner = evaluate_name(target.name, scope);
    const auto* space = owner.get<std::shared_ptr<Namespace>>();
    check(space != nullptr, ErrorCode::invalid_argument, "[chat_template] cannot assign '", target.name, ".",
          target.member, "': '", target.name, "' is no namespace");
    budget_.produce(sizeof(Value));
    (*space)->set(target.member, value);
  }
}

Value Interpreter::make_macro(const Macro& macro, const ScopePtr& scope) {
  if (!scope->captured) {
    scope->captured = true;
    captured_.push_back(scope);
  }
  return Value::callable(macro.name, [&macro, scope](Interpreter& interpreter, const CallArguments& arguments) {
    return interpreter.run_macro(macro, scope, arguments);
  });
}

Value Interpreter::run_macro(const Macro& macro, const ScopePtr& scope, const CallArguments& arguments) {
  const Budget::Level level(budget_);
  budget_.step();
  const int line = line_;
  const auto inner = std::make_shared<Scope>();
  inner->parent = scope;
  bind_parameters(macro, arguments, inner);
  std::string text;
  execute(macro.body, inner, text);
  line_ = line;
  return Value::string(std::move(text));
}

void Interpreter::bind_parameters(const Macro& macro, const CallArguments& arguments, const ScopePtr& scope) {
  const std::size_t count = macro.parameters.size();
  std::vector<std::pair<std::string, Value>> named = arguments.named;
  const auto take_named = [&](std::string_view name, Value& value) {
    const auto found = std::find_if(named.begin(), named.end(), [&](const auto& entry) { return entry.first == name; });
    if (found == named.end()) return false;
    value = std::move(found->second);
    named.erase(found);
    return true;
  };
  bool caller_is_parameter = false;
  for (std::size_t i = 0; i < count; ++i) {
    const Parameter& parameter = macro.parameters[i];
    caller_is_parameter = caller_is_parameter || parameter.name == "caller";
    Value value;
    if (i < arguments.positional.size())
      value = arguments.positional[i];
    else if (!take_named(parameter.name, value))
      value = parameter.fallback != nullptr
                  ? evaluate(*parameter.fallback, scope)
                  : Value::undefined("the parameter '" + parameter.name + "' was not provided");
    scope->set(parameter.name, std::move(value));
  }
  if (macro.takes_caller && !caller_is_parameter) {
    Value caller = Value::undefined("no caller defined");
    take_named("caller", caller);
    scope->set("caller", std::move(caller));
  }
  if (macro.takes_varargs) {
    const auto rest = static_cast<std::ptrdiff_t>(std::min(count, arguments.positional.size()));
    scope->set("varargs", Value::tuple({arguments.positional.begin() + rest, arguments.positional.end()}));
  } else {
    check(arguments.positional.size() <= count, ErrorCode::invalid_argument, "[chat_template] macro '", macro.name,
          "' takes not more than ", count, " arguments, got ", arguments.positional.size());
  }
  if (macro.takes_kwargs) {
    Dict rest;
    for (auto& [name, value] : named) rest.set(name, std::move(value));
    scope->set("kwargs", Value::dict(std::move(rest)));
  } else {
    check(named.empty(), ErrorCode::invalid_argument, "[chat_template] macro '", macro.name, "' has no parameter '",
          named.empty() ? "" : named.front().first, "'");
  }
}

}  // namespace trustformers::jinja
