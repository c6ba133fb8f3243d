// range, dict, namespace, joiner, and transformers' raise_exception and strftime_now.
#include <array>

#include "arguments.h"
#include "builtins.h"
#include "print.h"

namespace trustformers::jinja {
namespace {

constexpr std::uint64_t max_range = 100'000;  // the sandbox's own limit

Value range(Interpreter& interpreter, const CallArguments& given) {
  const Arguments arguments("range", given, {"start", "stop", "step"});
  const bool one = given.positional.size() == 1;
  const std::int64_t start = one ? 0 : arguments.integer(0);
  const std::int64_t stop = one ? arguments.integer(0) : arguments.integer(1);
  const std::int64_t step = arguments.integer(2, 1);
  check(step != 0, ErrorCode::invalid_argument, "[chat_template] range() arg 3 must not be zero");
  const auto distance = [](std::int64_t from, std::int64_t to) {
    return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
  };
  std::uint64_t count = 0;
  if (step > 0 && start < stop) count = (distance(start, stop) - 1) / static_cast<std::uint64_t>(step) + 1;
  if (step < 0 && start > stop) count = (distance(stop, start) - 1) / distance(step, 0) + 1;
  check(count <= max_range, ErrorCode::out_of_range, "[chat_template] a range of ", count, " numbers, more than ",
        max_range);
  List list{List::Kind::range, {}};
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(count); ++i)
    list.items.push_back(Value::integer(start + i * step));
  list.label = str("range(", start, ", ", stop, step == 1 ? "" : str(", ", step), ")");
  interpreter.budget().produce(list.items.size() * sizeof(Value));
  return Value::sequence(std::move(list));
}

// dict(mapping or pairs, **members), as members for `dict` and `namespace`.
std::vector<Dict::Entry> members(Interpreter& interpreter, const CallArguments& given, std::string_view function) {
  check(given.positional.size() <= 1, ErrorCode::invalid_argument, "[chat_template] ", function,
        " takes at most 1 positional argument, got ", given.positional.size());
  std::vector<Dict::Entry> result;
  if (!given.positional.empty()) {
    const Value& source = given.positional.front();
    if (const Dict* dict = source.get<Dict>()) {
      result = dict->entries();
    } else {
      for (const Value& pair : iterate(source, interpreter.budget())) {
        const auto parts = iterate(pair, interpreter.budget());
        check(parts.size() == 2, ErrorCode::invalid_argument, "[chat_template] ", function, " needs pairs, got ",
              parts.size(), " elements");
        result.emplace_back(parts[0], parts[1]);
      }
    }
  }
  for (const auto& [name, value] : given.named) result.emplace_back(Value::string(name), value);
  return result;
}

Value dict(Interpreter& interpreter, const CallArguments& given) {
  Dict result;
  for (auto& [key, value] : members(interpreter, given, "dict")) result.set(key, std::move(value));
  return Value::dict(std::move(result));
}

Value name_space(Interpreter& interpreter, const CallArguments& given) {
  std::vector<std::pair<std::string, Value>> result;
  for (auto& [key, value] : members(interpreter, given, "namespace"))
    result.emplace_back(to_text(key, interpreter.budget()), std::move(value));
  return interpreter.make_namespace(std::move(result));
}

// Called the first time it gives nothing, then the separator.
Value joiner(Interpreter&, const CallArguments& given) {
  const Arguments arguments("joiner", given, {"sep"});
  return Value::callable("joiner", [separator = arguments.text(0, ", "), used = std::make_shared<bool>(false)](
                                       Interpreter&, const CallArguments&) {
    const bool first = !std::exchange(*used, true);
    return Value::string(first ? std::string() : separator);
  });
}

Value raise_exception(Interpreter& interpreter, const CallArguments& given) {
  const Arguments arguments("raise_exception", given, {"message"});
  fail(ErrorCode::invalid_argument, "[chat_template] ", to_text(arguments.value(0), interpreter.budget()));
}

// strftime in the C locale.
std::string format_time(const std::string& format, const std::tm& time) {
  static constexpr std::array<std::string_view, 7> days = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                           "Thursday", "Friday", "Saturday"};
  static constexpr std::array<std::string_view, 12> months = {"January",   "February", "March",    "April",
                                                              "May",       "June",     "July",     "August",
                                                              "September", "October",  "November", "December"};
  check(time.tm_wday >= 0 && time.tm_wday < 7 && time.tm_mon >= 0 && time.tm_mon < 12, ErrorCode::invalid_argument,
        "[chat_template] the time given has weekday ", time.tm_wday, " and month ", time.tm_mon);
  const std::string_view day = days[static_cast<std::size_t>(time.tm_wday)];
  const std::string_view month = months[static_cast<std::size_t>(time.tm_mon)];
  const auto padded = [](int number, std::size_t width, char fill = '0') {
    std::string digits = std::to_string(number);
    if (digits.size() < width) digits.insert(0, width - digits.size(), fill);
    return digits;
  };
  const int hour12 = time.tm_hour % 12 == 0 ? 12 : time.tm_hour % 12;
  std::string result;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      result.push_back(format[i]);
      continue;
    }
    char directive = format[++i];
    const bool bare = directive == '-' && i + 1 < format.size();  // glibc's "no padding"
    if (bare) directive = format[++i];
    const std::size_t two = bare ? 1 : 2;
    switch (directive) {
      case 'a': result += day.substr(0, 3); break;
      case 'A': result += day; break;
      case 'b':
      case 'h': result += month.substr(0, 3); break;
      case 'B': result += month; break;
      case 'd': result += padded(time.tm_mday, two); break;
      case 'e': result += padded(time.tm_mday, two, ' '); break;
      case 'H': result += padded(time.tm_hour, two); break;
      case 'I': result += padded(hour12, two); break;
      case 'j': result += padded(time.tm_yday + 1, bare ? 1 : 3); break;
      case 'm': result += padded(time.tm_mon + 1, two); break;
      case 'M': result += padded(time.tm_min, two); break;
      case 'S': result += padded(time.tm_sec, two); break;
      case 'y': result += padded((time.tm_year + 1900) % 100, two); break;
      case 'Y': result += std::to_string(time.tm_year + 1900); break;
      case 'p': result += time.tm_hour < 12 ? "AM" : "PM"; break;
      case 'w': result += std::to_string(time.tm_wday); break;
      case 'u': result += std::to_string(time.tm_wday == 0 ? 7 : time.tm_wday); break;
      case 'f': result += "000000"; break;
      case 'F': result += format_time("%Y-%m-%d", time); break;
      case 'T':
      case 'X': result += format_time("%H:%M:%S", time); break;
      case 'R': result += format_time("%H:%M", time); break;
      case 'D':
      case 'x': result += format_time("%m/%d/%y", time); break;
      case 'c': result += format_time("%a %b %e %H:%M:%S %Y", time); break;
      case 'z':
      case 'Z': break;  // Python's naive time has no zone
      case 'n': result += "\n"; break;
      case 't': result += "\t"; break;
      case '%': result += "%"; break;
      default: fail(ErrorCode::unsupported, "[chat_template] the time format %", directive);
    }
  }
  return result;
}

Value strftime_now(Interpreter& interpreter, const CallArguments& given) {
  const Arguments arguments("strftime_now", given, {"format"});
  interpreter.budget().produce(16 * arguments.text(0).size());
  return Value::string(format_time(arguments.text(0), interpreter.now()));
}

using GlobalFunction = Value (*)(Interpreter& interpreter, const CallArguments& given);

constexpr Named<GlobalFunction> global_functions[] = {{"range", range},
                                                      {"dict", dict},
                                                      {"namespace", name_space},
                                                      {"joiner", joiner},
                                                      {"raise_exception", raise_exception},
                                                      {"strftime_now", strftime_now}};

}  // namespace

std::optional<Value> find_global(std::string_view name) {
  if (const auto function = find_named<GlobalFunction>(global_functions, name))
    return Value::callable(std::string(name), function);
  return std::nullopt;
}

}  // namespace trustformers::jinja
