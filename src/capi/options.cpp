#include "options.h"

namespace trustformers::capi {
namespace {

bool lists(std::string_view known, std::string_view name) {
  while (!known.empty()) {
    const std::size_t end = std::min(known.find(' '), known.size());
    if (known.substr(0, end) == name) return true;
    known.remove_prefix(std::min(end + 1, known.size()));
  }
  return false;
}

}  // namespace

Options::Options(const char* text, std::string_view where, std::string_view known)
    : json_(Json::object()), where_(where) {
  if (text == nullptr || *text == '\0') return;
  json_ = Json::parse(text, where);
  check(json_.is_object(), ErrorCode::invalid_argument, "[", where, "] options must be a JSON object, got ",
        json_.type_name());
  for (const auto& [name, value] : json_.as_object())
    check(lists(known, name), ErrorCode::invalid_argument, "[", where, "] there is no option \"", name,
          "\"; known are: ", known.empty() ? "none" : known);
}

void Options::fail_type(std::string_view name, std::string_view expected) const {
  const Json* value = find(name);
  fail(ErrorCode::invalid_argument, "[", where_, "] expected \"", name, "\" to be ", expected, ", got ",
       value ? value->dump() : "nothing");
}

bool Options::has(std::string_view name) const {
  const Json* value = find(name);
  return value && !value->is_null();
}

bool Options::flag(std::string_view name, bool absent) const {
  if (!has(name)) return absent;
  if (!find(name)->is_bool()) fail_type(name, "true or false");
  return find(name)->as_bool();
}

std::int64_t Options::integer(std::string_view name) const {
  const Json* value = find(name);
  if (!value || !value->is_number()) fail_type(name, "a whole number");
  try {
    return value->as_int(name);
  } catch (const Error&) {
    fail_type(name, "a whole number");
  }
}

std::int64_t Options::integer(std::string_view name, std::int64_t absent) const {
  return has(name) ? integer(name) : absent;
}

double Options::number(std::string_view name) const {
  const Json* value = find(name);
  if (!value || !value->is_number()) fail_type(name, "a number");
  return value->as_double(name);
}

double Options::number(std::string_view name, double absent) const { return has(name) ? number(name) : absent; }

std::string Options::text(std::string_view name, std::string_view absent) const {
  if (!has(name)) return std::string(absent);
  if (!find(name)->is_string()) fail_type(name, "a text");
  return find(name)->as_string();
}

std::vector<std::string> Options::texts(std::string_view name) const {
  if (!has(name)) return {};
  if (find(name)->is_string()) return {find(name)->as_string()};
  std::vector<std::string> out;
  if (!find(name)->is_array()) fail_type(name, "a text or a list of texts");
  for (const Json& item : find(name)->as_array()) {
    if (!item.is_string()) fail_type(name, "a text or a list of texts");
    out.push_back(item.as_string());
  }
  return out;
}

Shape Options::integers(std::string_view name) const {
  if (!has(name)) return {};
  if (find(name)->is_number()) return {integer(name)};
  return shape(name);
}

Shape Options::shape(std::string_view name) const {
  const Json* value = find(name);
  if (!value || !value->is_array() || value->size() > max_rank) fail_type(name, "a list of at most 8 whole numbers");
  Shape out;
  for (const Json& item : value->as_array()) {
    if (!item.is_int()) fail_type(name, "a list of at most 8 whole numbers");
    out.push_back(item.as_int());
  }
  return out;
}

DType Options::dtype(std::string_view name, DType absent) const {
  return has(name) ? parse_dtype(text(name, ""), where_) : absent;
}

DType parse_dtype(std::string_view name, std::string_view where) {
  for (int i = 0; i < dtype_count; ++i)
    if (to_string(static_cast<DType>(i)) == name) return static_cast<DType>(i);
  fail(ErrorCode::invalid_argument, "[", where, "] there is no dtype \"", name,
       "\"; known are f32, f16, bf16, f64, i8, u8, i32, i64, bool and the block formats");
}

}  // namespace trustformers::capi
