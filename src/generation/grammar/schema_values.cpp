// Values against schemas: for those that enum and const list.
#include <algorithm>

#include "schema_terms.h"

namespace trustformers {

bool SchemaReader::satisfies(const Json& value, SchemaRef r) {
  const SchemaTerms list = terms(r);
  return std::any_of(list.begin(), list.end(), [&](const SchemaTerm& term) { return satisfies(value, term); });
}

bool SchemaReader::satisfies(const Json& value, const SchemaTerm& t) {
  if (t.candidates && std::find(t.candidates->begin(), t.candidates->end(), value) == t.candidates->end()) return false;
  if (value.is_null()) return t.null;
  if (value.is_bool()) return value.as_bool() ? t.yes : t.no;
  if (value.is_number()) return t.number && (!t.numbers || t.numbers->accepts(value.dump()));
  if (value.is_string()) return t.string && (!t.texts || t.texts->accepts(value.as_string()));
  if (value.is_array()) {
    const Json::Array& list = value.as_array();
    const auto count = static_cast<std::int64_t>(list.size());
    if (!t.array || count < t.min_items || (t.max_items && count > *t.max_items)) return false;
    for (const auto& rule : t.items)
      for (std::size_t i = 0; i < list.size(); ++i)
        if (!satisfies(list[i], i < rule.prefix.size() ? rule.prefix[i] : rule.rest)) return false;
    for (const auto& rule : t.contains) {
      const auto found =
          std::count_if(list.begin(), list.end(), [&](const Json& v) { return satisfies(v, rule.schema); });
      if (found < rule.least || (rule.most && found > *rule.most)) return false;
    }
    for (std::size_t i = 0; t.unique && i < list.size(); ++i)
      if (std::find(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(i), list[i]) !=
          list.begin() + static_cast<std::ptrdiff_t>(i))
        return false;
    return true;
  }
  const Json::Object& members = value.as_object();
  const auto count = static_cast<std::int64_t>(members.size());
  if (!t.object || count < t.min_properties || (t.max_properties && count > *t.max_properties)) return false;
  for (const std::string& name : t.required)
    if (!value.find(name)) return false;
  for (const auto& [name, member] : members) {
    const auto matches = [&text = name](const DfaPtr& p) { return p->accepts(text); };
    for (const auto& p : t.properties)
      if (p.name == name && !satisfies(member, p.schema)) return false;
    for (const auto& p : t.patterns)
      if (matches(p.names) && !satisfies(member, p.schema)) return false;
    for (const auto& rest : t.rests)
      if (std::find(rest.names.begin(), rest.names.end(), name) == rest.names.end() &&
          std::none_of(rest.patterns.begin(), rest.patterns.end(), matches) && !satisfies(member, rest.schema))
        return false;
    for (const SchemaRef& names : t.names)
      if (!satisfies(Json(name), names)) return false;
  }
  return true;
}

}  // namespace trustformers
