// Python's operators on template values. Errors: invalid_argument where Python raises TypeError or UndefinedError.
#pragma once

#include "syntax.h"
#include "value.h"

namespace trustformers::jinja {

/// Integers are 64 bits wide: a result that does not fit is out_of_range.
Value arithmetic(Operator op, const Value& a, const Value& b, Budget& budget);
Value negate(const Value& value);
bool compare(Comparator comparator, const Value& a, const Value& b, Budget& budget);
/// `item in container`.
bool contains(const Value& container, const Value& item, Budget& budget);
/// object[start:stop:step]; bounds that are None are left out.
Value slice(const Value& object, const Value& start, const Value& stop, const Value& step, Budget& budget);
/// `format % values` for strings: %s %r %d %i %u %x %X %o %c %f %e %g with flags, width and precision.
std::string percent_format(std::string_view format, const Value& values, Budget& budget);

/// `format.format(*positional, **named)`. Errors: unsupported for rare specifications.
std::string brace_format(std::string_view format, const CallArguments& given, Budget& budget);

/// object.name: methods and members of objects first, then dictionary keys. Undefined when there is neither.
Value attribute(const Value& object, std::string_view name);
/// What Python's getattr() finds, without dictionary keys.
Value own_attribute(const Value& object, std::string_view name);
/// object[key]: elements first, then, for strings, methods and members of objects.
Value subscript(const Value& object, const Value& key);
/// The method `name` bound to `object`, or undefined.
Value bound_method(const Value& object, std::string_view name);

}  // namespace trustformers::jinja
