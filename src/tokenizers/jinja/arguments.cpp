#include "arguments.h"

#include <algorithm>

namespace trustformers::jinja {

Arguments::Arguments(std::string_view function, const CallArguments& given,
                     std::initializer_list<std::string_view> parameters)
    : function_(function), parameters_(parameters), bound_(parameters.size(), nullptr) {
  check(given.positional.size() <= parameters_.size(), ErrorCode::invalid_argument, "[chat_template] ", function_,
        " takes at most ", parameters_.size(), " arguments, got ", given.positional.size());
  for (std::size_t i = 0; i < given.positional.size(); ++i) bound_[i] = &given.positional[i];
  for (const auto& [name, value] : given.named) {
    const auto found = std::find(parameters_.begin(), parameters_.end(), name);
    check(found != parameters_.end(), ErrorCode::invalid_argument, "[chat_template] ", function_, " has no parameter '",
          name, "'");
    const Value*& place = bound_[static_cast<std::size_t>(found - parameters_.begin())];
    check(place == nullptr, ErrorCode::invalid_argument, "[chat_template] ", function_, " got '", name, "' twice");
    place = &value;
  }
}

const Value& Arguments::value(std::size_t place) const {
  check(bound_[place] != nullptr, ErrorCode::invalid_argument, "[chat_template] ", function_, " needs the argument '",
        parameters_[place], "'");
  return *bound_[place];
}

Value Arguments::value(std::size_t place, const Value& fallback) const {
  return bound_[place] != nullptr ? *bound_[place] : fallback;
}

const std::string& Arguments::text(std::size_t place) const {
  if (!value(place).is_string()) wrong_type(place, "a string");
  return value(place).text();
}

std::string Arguments::text(std::size_t place, std::string_view fallback) const {
  return has(place) ? text(place) : std::string(fallback);
}

std::int64_t Arguments::integer(std::size_t place) const {
  std::int64_t result = 0;
  if (!to_integer(value(place), result)) wrong_type(place, "an integer");
  return result;
}

std::int64_t Arguments::integer(std::size_t place, std::int64_t fallback) const {
  return has(place) ? integer(place) : fallback;
}

bool Arguments::flag(std::size_t place, bool fallback) const {
  return bound_[place] != nullptr ? bound_[place]->truthy() : fallback;
}

void Arguments::wrong_type(std::size_t place, std::string_view expected) const {
  value(place).require_defined();
  fail(ErrorCode::invalid_argument, "[chat_template] the argument '", parameters_[place], "' of ", function_,
       " must be ", expected, ", got ", value(place).type_name());
}

}  // namespace trustformers::jinja
