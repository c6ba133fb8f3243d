// The tree of a parsed template. Chains of equal precedence are flat lists, so that a long chain does not nest.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "value.h"

namespace trustformers::jinja {

struct Expression;
struct Statement;
using ExpressionPtr = std::unique_ptr<Expression>;
using Block = std::vector<Statement>;

struct Argument {
  enum class Kind { positional, named, unpacked_list, unpacked_dict };
  Kind kind = Kind::positional;
  std::string name;
  ExpressionPtr value;
};

struct Literal {
  Value value;
};
struct Name {
  std::string name;
};
struct ListDisplay {
  bool tuple = false;
  std::vector<ExpressionPtr> items;
};
struct DictDisplay {
  std::vector<std::pair<ExpressionPtr, ExpressionPtr>> entries;
};
enum class Operator { add, subtract, multiply, divide, floor_divide, modulo, power };
struct Arithmetic {  // left to right
  ExpressionPtr first;
  std::vector<std::pair<Operator, ExpressionPtr>> rest;
};
struct Concatenation {  // a ~ b ~ c
  std::vector<ExpressionPtr> parts;
};
struct Logical {
  bool is_and = false;
  std::vector<ExpressionPtr> operands;
};
enum class Comparator { equal, not_equal, less, less_equal, greater, greater_equal, in, not_in };
struct Comparison {  // a < b < c
  ExpressionPtr first;
  std::vector<std::pair<Comparator, ExpressionPtr>> rest;
};
struct Unary {
  enum class Kind { negative, positive, logical_not };
  Kind kind = Kind::negative;
  ExpressionPtr operand;
};
struct Conditional {
  ExpressionPtr condition;
  ExpressionPtr value;
  ExpressionPtr otherwise;  // may be null: undefined
};

struct Attribute {
  std::string name;
};
struct Subscript {
  ExpressionPtr index;
};
struct Slice {  // each may be null
  ExpressionPtr start;
  ExpressionPtr stop;
  ExpressionPtr step;
};
struct Call {
  std::vector<Argument> arguments;
};
struct Filter {
  std::string name;
  std::vector<Argument> arguments;
};
struct Test {
  std::string name;
  std::vector<Argument> arguments;
  bool negated = false;
};
struct Suffix {
  int line = 1;
  std::variant<Attribute, Subscript, Slice, Call, Filter, Test> node;
};
struct Suffixed {  // a.b[c](d) | e is f
  ExpressionPtr base;
  std::vector<Suffix> suffixes;
};

struct Expression {
  int line = 1;
  std::variant<Literal, Name, ListDisplay, DictDisplay, Arithmetic, Concatenation, Logical, Comparison, Unary,
               Conditional, Suffixed>
      node;
};

/// What `set` and `for` assign to: a name, a member of a namespace, or a list of targets.
struct Target {
  std::string name;
  std::string member;  // ns.member; empty otherwise
  std::vector<Target> items;
  bool is_list = false;
};

struct Data {
  std::string text;
};
struct Output {
  ExpressionPtr value;
};
struct For {
  Target target;
  ExpressionPtr iterable;
  ExpressionPtr condition;  // may be null
  Block body;
  Block otherwise;
  bool recursive = false;
};
struct If {
  std::vector<std::pair<ExpressionPtr, Block>> branches;
  Block otherwise;
};
struct Set {
  Target target;
  ExpressionPtr value;
};
struct SetBlock {
  Target target;
  std::vector<Filter> filters;
  Block body;
};
struct With {
  std::vector<std::pair<Target, ExpressionPtr>> targets;
  Block body;
};
struct Parameter {
  std::string name;
  ExpressionPtr fallback;  // may be null
};
struct Macro {
  std::string name;
  std::vector<Parameter> parameters;
  bool takes_varargs = false;  // the body names `varargs`, `kwargs`, `caller`
  bool takes_kwargs = false;
  bool takes_caller = false;
  Block body;
};
struct CallBlock {
  ExpressionPtr callee;  // without its arguments
  std::vector<Argument> arguments;
  Macro caller;
};
struct FilterBlock {
  std::vector<Filter> filters;
  Block body;
};
struct Generation {  // marks what the assistant says, for training masks
  Block body;
};
struct Break {};
struct Continue {};

struct Statement {
  int line = 1;
  std::variant<Data, Output, For, If, Set, SetBlock, With, Macro, CallBlock, FilterBlock, Generation, Break, Continue>
      node;
};

}  // namespace trustformers::jinja
