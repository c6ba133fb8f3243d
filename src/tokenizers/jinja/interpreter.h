// Runs the tree of a template. One Interpreter renders once.
#pragma once

#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "limits.h"
#include "syntax.h"
#include "value.h"

namespace trustformers::jinja {

/// The variables that one block sees: its own, and through `parent` those around it.
struct Scope {
  std::shared_ptr<Scope> parent;
  std::vector<std::pair<std::string_view, Value>> values;
  bool captured = false;  // by a macro

  const Value* find(std::string_view name) const;
  void set(std::string_view name, Value value);
};
using ScopePtr = std::shared_ptr<Scope>;

class Interpreter {
 public:
  Interpreter(const Limits& limits, std::optional<std::tm> now) : budget_(limits), now_(now) {}
  ~Interpreter();
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  /// Errors carry the line of the template that was running as context.
  std::string render(const Block& block, const std::vector<std::pair<std::string, Value>>& variables);

  // For the built-in functions.
  Budget& budget() { return budget_; }
  /// The clock of strftime_now.
  std::tm now() const;
  Value call(const Value& callee, const CallArguments& arguments);
  Value apply_filter(std::string_view name, const Value& value, const CallArguments& arguments);
  bool apply_test(std::string_view name, const Value& value, const CallArguments& arguments);
  Value make_namespace(std::vector<std::pair<std::string, Value>> members);

 private:
  enum class Flow { normal, stop, next };  // after `break`, after `continue`

  // Statements (interpreter.cpp).
  Flow execute(const Block& block, const ScopePtr& scope, std::string& out);
  Flow execute(const Statement& statement, const ScopePtr& scope, std::string& out);
  Flow run_for(const For& statement, const ScopePtr& scope, std::string& out);
  Flow run_rounds(const For& statement, const ScopePtr& scope, const Value& iterable, int depth, std::string& out);
  Flow run_if(const If& statement, const ScopePtr& scope, std::string& out);
  std::string run_nested(const Block& block, const ScopePtr& parent);
  Elements loop_items(const For& statement, const ScopePtr& scope, const Value& iterable);
  void assign(const Target& target, const Value& value, Scope& scope);
  void write(std::string_view text, std::string& out);
  Value make_macro(const Macro& macro, const ScopePtr& scope);
  Value run_macro(const Macro& macro, const ScopePtr& scope, const CallArguments& arguments);
  void bind_parameters(const Macro& macro, const CallArguments& arguments, const ScopePtr& scope);

  // Expressions (expressions.cpp).
  Value evaluate(const Expression& expression, const ScopePtr& scope);
  Value evaluate_name(const std::string& name, const Scope& scope) const;
  Value evaluate_chain(const Suffixed& chain, const ScopePtr& scope);
  Value apply_suffix(const Suffix& suffix, const Value& value, const ScopePtr& scope);
  bool evaluate_comparison(const Comparison& comparison, const ScopePtr& scope);
  CallArguments evaluate_arguments(const std::vector<Argument>& arguments, const ScopePtr& scope);

  Budget budget_;
  std::optional<std::tm> now_;
  int line_ = 1;
  // Macros hold scopes that hold macros, and namespaces may hold each other: the destructor opens these rings.
  std::vector<ScopePtr> captured_;
  std::vector<std::shared_ptr<Namespace>> namespaces_;
};

}  // namespace trustformers::jinja
