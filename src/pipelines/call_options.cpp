#include "call_options.h"

#include <algorithm>

#include "../base/error.h"

namespace trustformers {

CallOptions::CallOptions(const Json& options, std::string_view task) : options_(options), task_(task) {
  check(options.is_object(), ErrorCode::invalid_argument, "[", task, "] options must be a JSON object, got ",
        options.type_name());
}

const Json* CallOptions::find(std::string_view name) {
  if (std::find(known_.begin(), known_.end(), name) == known_.end()) known_.push_back(name);
  return options_.find(name);
}

bool CallOptions::given(std::string_view name) {
  const Json* value = find(name);
  return value && !value->is_null();
}

void CallOptions::fail_type(std::string_view name, std::string_view expected) const {
  const Json* value = options_.find(name);
  fail(ErrorCode::invalid_argument, "[", task_, "] expected \"", name, "\" to be ", expected, ", got ",
       value ? value->dump() : "nothing");
}

void CallOptions::operator()(std::string_view name, bool& value) {
  if (!given(name)) return;
  if (!find(name)->is_bool()) fail_type(name, "true or false");
  value = find(name)->as_bool();
}

void CallOptions::operator()(std::string_view name, std::int64_t& value) {
  if (!given(name)) return;
  if (!find(name)->is_int()) fail_type(name, "a whole number");
  value = find(name)->as_int();
}

void CallOptions::at_least(std::int64_t least, std::string_view name, std::int64_t& value) {
  (*this)(name, value);
  if (value < least) fail_type(name, "at least " + std::to_string(least));
}

void CallOptions::operator()(std::string_view name, double& value) {
  if (!given(name)) return;
  if (!find(name)->is_number()) fail_type(name, "a number");
  value = find(name)->as_double();
}

void CallOptions::operator()(std::string_view name, std::string& value) {
  if (!given(name)) return;
  if (!find(name)->is_string()) fail_type(name, "a text");
  value = find(name)->as_string();
}

void CallOptions::operator()(std::string_view name, std::vector<std::string>& value) {
  if (!given(name)) return;
  const Json& list = *find(name);
  value.clear();
  if (list.is_string()) return value.push_back(list.as_string());
  if (!list.is_array()) fail_type(name, "a text or a list of texts");
  for (const Json& item : list.as_array()) {
    if (!item.is_string()) fail_type(name, "a text or a list of texts");
    value.push_back(item.as_string());
  }
}

Json CallOptions::rest() const {
  Json out = Json::object();
  for (const auto& [name, value] : options_.as_object())
    if (std::find(known_.begin(), known_.end(), name) == known_.end()) out.set(name, value);
  return out;
}

void CallOptions::finish() const {
  const Json left = rest();
  if (left.size() == 0) return;
  std::string known;
  for (const std::string_view name : known_) known += (known.empty() ? "" : ", ") + std::string(name);
  fail(ErrorCode::invalid_argument, "[", task_, "] there is no option \"", left.as_object()[0].first,
       "\"; known are: ", known);
}

Json merged_options(const Json& base, const Json& over) {
  Json out = base;
  for (const auto& [name, value] : over.as_object("options")) out.set(name, value);
  return out;
}

}  // namespace trustformers
