#include "schema_terms.h"

#include <algorithm>

#include "../../base/error.h"
#include "number_language.h"
#include "regex.h"
#include "schema_formats.h"

namespace trustformers {
namespace {

constexpr std::size_t max_terms = 256;
constexpr int max_term_depth = 64;
constexpr std::int64_t longest = 4000;

constexpr std::string_view annotations[] = {"$schema",
                                            "$id",
                                            "$anchor",
                                            "$dynamicAnchor",
                                            "$defs",
                                            "definitions",
                                            "$comment",
                                            "$vocabulary",
                                            "title",
                                            "default",
                                            "description",
                                            "examples",
                                            "deprecated",
                                            "readOnly",
                                            "writeOnly",
                                            "then",
                                            "else",
                                            "minContains",
                                            "maxContains",
                                            "contentEncoding",
                                            "contentMediaType",
                                            "contentSchema",
                                            "additionalItems",
                                            "unevaluatedProperties",
                                            "unevaluatedItems"};

[[noreturn]] void refuse(std::string_view keyword, std::string_view why) {
  fail(ErrorCode::unsupported, "[schema] \"", keyword, "\" ", why, " is not supported");
}

DfaPtr share(Dfa dfa) { return std::make_shared<const Dfa>(std::move(dfa)); }

DfaPtr both_languages(const DfaPtr& a, const DfaPtr& b) { return !a ? b : !b ? a : share(intersection(*a, *b)); }

SchemaTerm only(bool SchemaTerm::* type) {
  SchemaTerm out;
  out.no_types();
  out.*type = true;
  return out;
}

SchemaRef ref(const Json& schema, bool negated = false) { return {&schema, negated}; }

template <class T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}
template <class T>
std::optional<T> smaller(const std::optional<T>& a, const std::optional<T>& b) {
  return !a ? b : !b ? a : std::optional(std::min(*a, *b));
}

bool impossible(const SchemaTerm& t) {
  if (t.candidates && t.candidates->empty()) return true;
  const bool number = t.number && !(t.numbers && t.numbers->empty());
  const bool string = t.string && !(t.texts && t.texts->empty());
  return !(t.null || t.yes || t.no || number || string || t.array || t.object);
}

SchemaTerm merged(const SchemaTerm& a, const SchemaTerm& b) {
  SchemaTerm out = a;
  for (const auto type : {&SchemaTerm::null, &SchemaTerm::yes, &SchemaTerm::no, &SchemaTerm::number,
                          &SchemaTerm::string, &SchemaTerm::array, &SchemaTerm::object})
    out.*type = a.*type && b.*type;
  if (b.candidates) {
    if (out.candidates)
      std::erase_if(*out.candidates, [&](const Json& v) {
        return std::find(b.candidates->begin(), b.candidates->end(), v) == b.candidates->end();
      });
    else
      out.candidates = b.candidates;
  }
  if (out.number) out.numbers = both_languages(a.numbers, b.numbers);
  if (out.string) out.texts = both_languages(a.texts, b.texts);
  append(out.items, b.items);
  append(out.contains, b.contains);
  out.min_items = std::max(a.min_items, b.min_items);
  out.max_items = smaller(a.max_items, b.max_items);
  out.unique = a.unique || b.unique;
  append(out.properties, b.properties);
  append(out.patterns, b.patterns);
  append(out.rests, b.rests);
  append(out.names, b.names);
  out.required.insert(b.required.begin(), b.required.end());
  out.min_properties = std::max(a.min_properties, b.min_properties);
  out.max_properties = smaller(a.max_properties, b.max_properties);
  return out;
}

void add(SchemaTerms& to, SchemaTerms from) {
  for (SchemaTerm& term : from) to.push_back(std::move(term));
  check(to.size() <= max_terms, ErrorCode::unsupported, "[schema] it has more than ", max_terms,
        " alternatives once anyOf, oneOf, not and if are worked out");
}

/// What a schema says under "not" evaluates nothing.
SchemaTerms without_annotations(SchemaTerms terms) {
  for (SchemaTerm& term : terms) {
    for (auto& x : term.items) x.evaluates = false;
    for (auto& x : term.properties) x.evaluates = false;
    for (auto& x : term.patterns) x.evaluates = false;
    for (auto& x : term.rests) x.evaluates = false;
  }
  return terms;
}

std::int64_t count_of(const std::string& key, const Json& value) {
  check(value.is_number() && value.as_double() >= 0 && value.as_double() == static_cast<double>(value.as_int(key)),
        ErrorCode::parse, "[schema] \"", key, "\" must be a count, got ", value.dump());
  return value.as_int();
}

void allow_type(SchemaTerm& term, const std::string& name, bool& integer) {
  if (name == "null")
    term.null = true;
  else if (name == "boolean")
    term.yes = term.no = true;
  else if (name == "number")
    term.number = true;
  else if (name == "integer")
    integer = true;
  else if (name == "string")
    term.string = true;
  else if (name == "array")
    term.array = true;
  else if (name == "object")
    term.object = true;
  else
    fail(ErrorCode::parse, "[schema] there is no type \"", name, "\"");
}

SchemaTerms types_of(const Json& value, bool negated) {
  SchemaTerm term;
  term.no_types();
  bool integer = false;
  if (value.is_string())
    allow_type(term, value.as_string(), integer);
  else
    for (const Json& name : value.as_array("\"type\"")) allow_type(term, name.as_string("\"type\""), integer);
  const bool any_number = term.number;
  if (negated)
    for (const auto type : {&SchemaTerm::null, &SchemaTerm::yes, &SchemaTerm::no, &SchemaTerm::number,
                            &SchemaTerm::string, &SchemaTerm::array, &SchemaTerm::object})
      term.*type = !(term.*type);
  if (integer && !any_number) {
    term.number = true;
    term.numbers = share(negated ? non_integers() : integers());
  }
  return impossible(term) ? SchemaTerms() : SchemaTerms{term};
}

/// Everything but the values. Where one is a list or an object, no list or object is left: less than there could be.
SchemaTerm other_than(const Json::Array& values) {
  SchemaTerm term;
  for (const Json& v : values) {
    if (v.is_null()) term.null = false;
    if (v.is_bool()) (v.as_bool() ? term.yes : term.no) = false;
    if (v.is_array()) term.array = false;
    if (v.is_object()) term.object = false;
    if (v.is_number())
      term.numbers = share(difference(term.numbers ? *term.numbers : every_decimal(), number_value(v)));
    if (v.is_string())
      term.texts = share(difference(term.texts ? *term.texts : every_text(), Dfa(literal(v.as_string()))));
  }
  return term;
}

const Json::Array& list_of(const std::string& key, const Json& value) {
  check(value.is_array(), ErrorCode::parse, "[schema] \"", key, "\" must be a list, got ", value.type_name());
  return value.as_array();
}

/// The schemas of the first items, and of those behind them, as prefixItems, items and additionalItems say.
SchemaTerm::Items items_of(const Json& schema) {
  SchemaTerm::Items out;
  const Json* items = schema.find("items");
  const Json* prefix = schema.find("prefixItems");
  const Json* rest = items;
  if (items && items->is_array()) {  // draft-07
    prefix = items;
    rest = schema.find("additionalItems");
  }
  if (prefix)
    for (const Json& item : list_of("prefixItems", *prefix)) out.prefix.push_back(ref(item));
  if (rest) {
    out.rest = ref(*rest);
    out.covers_rest = true;
  }
  return out;
}

SchemaTerm::Contains contains_of(const Json& schema) {
  SchemaTerm::Contains out{ref(schema.at("contains")), 1, std::nullopt};
  if (const Json* least = schema.find("minContains")) out.least = count_of("minContains", *least);
  if (const Json* most = schema.find("maxContains")) out.most = count_of("maxContains", *most);
  return out;
}

}  // namespace

SchemaTerms both(const SchemaTerms& a, const SchemaTerms& b) {
  SchemaTerms out;
  for (const SchemaTerm& x : a)
    for (const SchemaTerm& y : b) {
      SchemaTerm term = merged(x, y);
      if (!impossible(term)) add(out, {std::move(term)});
    }
  return out;
}

SchemaTerms SchemaReader::all(const std::vector<SchemaRef>& refs) {
  SchemaTerms out(1);
  for (const SchemaRef& r : refs) out = both(out, terms(r));
  return out;
}

SchemaTerms SchemaReader::read(SchemaRef r, int depth) {
  check(depth < max_term_depth, ErrorCode::unsupported,
        "[schema] a schema that refers to itself without a list or an object in between is not supported");
  const bool truth = !r.schema || !r.schema->is_bool() || r.schema->as_bool();
  if (!r.schema || r.schema->is_bool()) return truth != r.negated ? SchemaTerms(1) : SchemaTerms();
  check(r.schema->is_object(), ErrorCode::parse, "[schema] a schema must be an object or a boolean, got ",
        r.schema->type_name());
  return r.negated ? without_annotations(read_negated(*r.schema, depth + 1)) : read_object(*r.schema, depth + 1);
}

SchemaTerms SchemaReader::read_object(const Json& schema, int depth) {
  SchemaTerms out(1);
  const bool alone = document_.references_stand_alone() && schema.find("$ref");
  for (const auto& [key, value] : schema.as_object())
    if (!alone || key == "$ref") out = both(out, keyword(schema, key, value, depth));
  if (!alone) add_unevaluated(schema, out);
  return out;
}

SchemaTerms SchemaReader::read_negated(const Json& schema, int depth) {
  // One broken keyword is enough. Those whose breach cannot be said in a grammar are left out where others remain: the
  // alternatives that are left are valid all the same.
  static constexpr std::string_view unsayable[] = {
      "additionalProperties", "patternProperties",     "propertyNames",   "format",
      "uniqueItems",          "unevaluatedProperties", "unevaluatedItems"};
  SchemaTerms out;
  const std::string* left_out = nullptr;
  const bool alone = document_.references_stand_alone() && schema.find("$ref");
  for (const auto& [key, value] : schema.as_object()) {
    if (alone && key != "$ref") continue;
    const bool trivial = value.is_bool() && value.as_bool() == (key != "uniqueItems");
    if (std::find(std::begin(unsayable), std::end(unsayable), key) == std::end(unsayable))
      add(out, negated_keyword(schema, key, value, depth));
    else if (!trivial)
      left_out = &key;
  }
  if (out.empty() && left_out) refuse(*left_out, "below \"not\", \"if\" or \"oneOf\"");
  return out;
}

void SchemaReader::add_unevaluated(const Json& schema, SchemaTerms& terms) {
  const Json* properties = schema.find("unevaluatedProperties");
  const Json* items = schema.find("unevaluatedItems");
  for (SchemaTerm& term : terms) {
    if (properties && std::none_of(term.rests.begin(), term.rests.end(), [](const auto& r) { return r.evaluates; })) {
      SchemaTerm::Rest rest;
      rest.schema = ref(*properties);
      for (const auto& p : term.properties)
        if (p.evaluates) rest.names.push_back(p.name);
      for (const auto& p : term.patterns)
        if (p.evaluates) rest.patterns.push_back(p.names);
      term.rests.push_back(std::move(rest));
    }
    const auto covers = [](const auto& i) { return i.evaluates && i.covers_rest; };
    if (items && std::none_of(term.items.begin(), term.items.end(), covers)) {
      SchemaTerm::Items rest;
      for (const auto& i : term.items)
        if (i.evaluates && i.prefix.size() > rest.prefix.size()) rest.prefix.resize(i.prefix.size());
      rest.rest = ref(*items);
      rest.covers_rest = true;
      term.items.push_back(std::move(rest));
    }
  }
}

DfaPtr SchemaReader::pattern(const std::string& text) {
  DfaPtr& found = patterns_[text];
  if (!found) found = share(regex_language(text, RegexMatch::somewhere));
  return found;
}

SchemaTerm SchemaReader::string_rule(const std::string& key, const Json& value, bool negated) {
  SchemaTerm term = negated ? only(&SchemaTerm::string) : SchemaTerm();
  if (key == "pattern") {
    check(value.is_string(), ErrorCode::parse, "[schema] \"pattern\" must be a text, got ", value.dump());
    const DfaPtr matching = pattern(value.as_string());
    term.texts = negated ? share(difference(every_text(), *matching)) : matching;
  } else if (key == "format") {
    check(value.is_string(), ErrorCode::parse, "[schema] \"format\" must be a text, got ", value.dump());
    term.texts = format_language(value.as_string());
  } else {
    const std::int64_t length = count_of(key, value);
    check(length <= longest, ErrorCode::unsupported, "[schema] \"", key, "\" = ", length, " is not supported: at most ",
          longest);
    const bool lower = (key == "minLength") != negated;
    const ExpressionPtr any = code_points({{0, last_code_point}});
    const std::int64_t bound = !negated ? length : lower ? length + 1 : length - 1;
    if (bound < 0)
      term.no_types();
    else
      term.texts = share(Dfa(lower ? repeat(any, bound) : repeat(any, 0, bound)));
  }
  return term;
}

SchemaTerm SchemaReader::number_rule(const std::string& key, const Json& value, bool negated) {
  check(value.is_number(), ErrorCode::parse, "[schema] \"", key, "\" must be a number, got ", value.dump());
  SchemaTerm term = negated ? only(&SchemaTerm::number) : SchemaTerm();
  if (key == "multipleOf")
    term.numbers = share(negated ? difference(every_decimal(), multiples_of(value)) : multiples_of(value));
  else if (key == "minimum")
    term.numbers = share(decimals(negated ? Bound::below : Bound::at_least, value));
  else if (key == "maximum")
    term.numbers = share(decimals(negated ? Bound::above : Bound::at_most, value));
  else if (key == "exclusiveMinimum")
    term.numbers = share(decimals(negated ? Bound::at_most : Bound::above, value));
  else
    term.numbers = share(decimals(negated ? Bound::at_least : Bound::below, value));
  return term;
}

SchemaTerms SchemaReader::any(const Json& list, bool negated, int depth) {
  SchemaTerms out;
  for (const Json& schema : list_of("anyOf", list)) add(out, read(ref(schema, negated), depth));
  return out;
}

SchemaTerms SchemaReader::every(const Json& list, bool negated, int depth) {
  SchemaTerms out(1);
  for (const Json& schema : list_of("allOf", list)) out = both(out, read(ref(schema, negated), depth));
  return out;
}

SchemaTerms SchemaReader::one(const Json& list, int depth) {
  const Json::Array& schemas = list_of("oneOf", list);
  SchemaTerms out;
  for (std::size_t i = 0; i < schemas.size(); ++i) {
    SchemaTerms terms = read(ref(schemas[i]), depth);
    for (std::size_t j = 0; j < schemas.size() && !terms.empty(); ++j)
      if (j != i) terms = both(terms, read(ref(schemas[j], true), depth));
    add(out, std::move(terms));
  }
  return out;
}

SchemaTerms SchemaReader::conditional(const Json& schema, bool negated, int depth) {
  const Json& condition = schema.at("if");
  const Json *then = schema.find("then"), *otherwise = schema.find("else");
  const auto branch = [&](const Json* s) {
    return s ? read(ref(*s, negated), depth) : negated ? SchemaTerms() : SchemaTerms(1);
  };
  if (!then && !otherwise && !schema.find("unevaluatedProperties") && !schema.find("unevaluatedItems") && !negated)
    return SchemaTerms(1);
  SchemaTerms out = both(read(ref(condition), depth), branch(then));
  add(out, both(read(ref(condition, true), depth), branch(otherwise)));
  return out;
}

/// dependentRequired, dependentSchemas, dependencies: {"name": [names] or a schema}.
SchemaTerms SchemaReader::dependent(const Json& value, bool negated, int depth) {
  SchemaTerms out(negated ? 0 : 1);
  for (const auto& [name, demand] : value.as_object("dependencies")) {
    SchemaTerm has = only(&SchemaTerm::object), lacks;
    has.required = {name};
    lacks.properties.push_back({name, {nullptr, true}, false});
    SchemaTerms held, broken;
    if (demand.is_array()) {
      SchemaTerm together = has;
      for (const Json& other : demand.as_array()) {
        together.required.insert(other.as_string("dependencies"));
        SchemaTerm missing = has;
        missing.properties.push_back({other.as_string("dependencies"), {nullptr, true}, false});
        broken.push_back(missing);
      }
      held = {together};
    } else {
      held = both({has}, read(ref(demand), depth));
      if (negated) broken = both({has}, read(ref(demand, true), depth));
    }
    if (negated) {
      add(out, std::move(broken));
    } else {
      add(held, {lacks});
      out = both(out, held);
    }
  }
  return out;
}

SchemaTerms SchemaReader::keyword(const Json& schema, const std::string& key, const Json& value, int depth) {
  if (std::find(std::begin(annotations), std::end(annotations), key) != std::end(annotations) || key.starts_with("x-"))
    return SchemaTerms(1);
  if (key == "$ref" || key == "$dynamicRef")
    return read(ref(document_.resolve(schema, value.as_string(key), key == "$dynamicRef")), depth);
  if (key == "type") return types_of(value, false);
  if (key == "allOf") return every(value, false, depth);
  if (key == "anyOf") return any(value, false, depth);
  if (key == "oneOf") return one(value, depth);
  if (key == "not") return without_annotations(read(ref(value, true), depth));
  if (key == "if") return conditional(schema, false, depth);
  if (key == "dependentRequired" || key == "dependentSchemas" || key == "dependencies")
    return dependent(value, false, depth);

  SchemaTerm term;
  if (key == "const") {
    term.candidates = {value};
  } else if (key == "enum") {
    term.candidates = list_of(key, value);
  } else if (key == "pattern" || key == "format" || key == "minLength" || key == "maxLength") {
    term = string_rule(key, value, false);
  } else if (key == "minimum" || key == "maximum" || key == "exclusiveMinimum" || key == "exclusiveMaximum" ||
             key == "multipleOf") {
    term = number_rule(key, value, false);
  } else if (key == "items" || key == "prefixItems") {
    if (key == "prefixItems" || !schema.find("prefixItems")) term.items.push_back(items_of(schema));
  } else if (key == "contains") {
    term.contains.push_back(contains_of(schema));
  } else if (key == "minItems") {
    term.min_items = count_of(key, value);
  } else if (key == "maxItems") {
    term.max_items = count_of(key, value);
  } else if (key == "uniqueItems") {
    term.unique = value.as_bool(key);
  } else if (key == "properties") {
    for (const auto& [name, s] : value.as_object(key)) term.properties.push_back({name, ref(s)});
  } else if (key == "patternProperties") {
    for (const auto& [p, s] : value.as_object(key)) term.patterns.push_back({pattern(p), ref(s)});
  } else if (key == "additionalProperties") {
    SchemaTerm::Rest rest;
    rest.schema = ref(value);
    if (const Json* named = schema.find("properties"))
      for (const auto& member : named->as_object(key)) rest.names.push_back(member.first);
    if (const Json* named = schema.find("patternProperties"))
      for (const auto& member : named->as_object(key)) rest.patterns.push_back(pattern(member.first));
    term.rests.push_back(std::move(rest));
  } else if (key == "propertyNames") {
    term.names.push_back(ref(value));
  } else if (key == "required") {
    for (const Json& name : list_of(key, value)) term.required.insert(name.as_string(key));
  } else if (key == "minProperties") {
    term.min_properties = count_of(key, value);
  } else if (key == "maxProperties") {
    term.max_properties = count_of(key, value);
  } else {
    fail(ErrorCode::unsupported, "[schema] the keyword \"", key, "\" is not supported");
  }
  return impossible(term) ? SchemaTerms() : SchemaTerms{term};
}

SchemaTerms SchemaReader::negated_keyword(const Json& schema, const std::string& key, const Json& value, int depth) {
  if (std::find(std::begin(annotations), std::end(annotations), key) != std::end(annotations) || key.starts_with("x-"))
    return {};
  if (key == "$ref" || key == "$dynamicRef")
    return read(ref(document_.resolve(schema, value.as_string(key), key == "$dynamicRef"), true), depth);
  if (key == "type") return types_of(value, true);
  if (key == "allOf") return any(value, true, depth);
  if (key == "anyOf") return every(value, true, depth);
  if (key == "oneOf") {
    SchemaTerms out = every(value, true, depth);  // none holds, or two do
    const Json::Array& schemas = list_of(key, value);
    for (std::size_t i = 0; i < schemas.size(); ++i)
      for (std::size_t j = i + 1; j < schemas.size(); ++j)
        add(out, both(read(ref(schemas[i]), depth), read(ref(schemas[j]), depth)));
    return out;
  }
  if (key == "not") return read(ref(value), depth);
  if (key == "if") return conditional(schema, true, depth);
  if (key == "dependentRequired" || key == "dependentSchemas" || key == "dependencies")
    return dependent(value, true, depth);
  if (key == "const") return {other_than({value})};
  if (key == "enum") return {other_than(list_of(key, value))};
  if (key == "pattern" || key == "minLength" || key == "maxLength") {
    SchemaTerm term = string_rule(key, value, true);
    return impossible(term) ? SchemaTerms() : SchemaTerms{term};
  }
  if (key == "minimum" || key == "maximum" || key == "exclusiveMinimum" || key == "exclusiveMaximum" ||
      key == "multipleOf")
    return {number_rule(key, value, true)};

  SchemaTerms out;
  const SchemaTerm array = only(&SchemaTerm::array), object = only(&SchemaTerm::object);
  const auto add_array = [&](auto change) {
    out.push_back(array);
    change(out.back());
  };
  const auto add_object = [&](auto change) {
    out.push_back(object);
    change(out.back());
  };
  const auto trivially_true = [](const Json& s) { return s.is_bool() && s.as_bool(); };
  if (key == "items" || key == "prefixItems") {
    if (key == "items" && schema.find("prefixItems")) return {};
    const SchemaTerm::Items items = items_of(schema);
    for (std::size_t i = 0; i < items.prefix.size(); ++i)
      add_array([&](SchemaTerm& t) {
        t.min_items = static_cast<std::int64_t>(i) + 1;
        t.items.emplace_back();
        t.items[0].prefix.resize(i + 1);
        t.items[0].prefix[i] = negation(items.prefix[i]);
      });
    if (items.covers_rest && !(items.rest.schema && trivially_true(*items.rest.schema))) {
      const bool nothing = items.rest.schema->is_bool();
      if (!nothing && !items.prefix.empty()) refuse(key, "behind \"prefixItems\", below \"not\" or \"oneOf\",");
      add_array([&](SchemaTerm& t) {
        if (nothing)
          t.min_items = static_cast<std::int64_t>(items.prefix.size()) + 1;
        else
          t.contains.push_back({negation(items.rest), 1, std::nullopt});
      });
    }
  } else if (key == "contains") {
    const SchemaTerm::Contains contains = contains_of(schema);
    if (contains.least > 0)
      add_array([&](SchemaTerm& t) { t.contains.push_back({contains.schema, 0, contains.least - 1}); });
    if (contains.most)
      add_array([&](SchemaTerm& t) { t.contains.push_back({contains.schema, *contains.most + 1, std::nullopt}); });
  } else if (key == "minItems") {
    if (const std::int64_t n = count_of(key, value); n > 0) add_array([&](SchemaTerm& t) { t.max_items = n - 1; });
  } else if (key == "maxItems") {
    add_array([&](SchemaTerm& t) { t.min_items = count_of(key, value) + 1; });
  } else if (key == "properties") {
    for (const auto& [name, s] : value.as_object(key)) {
      if (trivially_true(s)) continue;
      out.push_back(object);
      out.back().required = {name};
      out.back().properties.push_back({name, ref(s, true), false});
    }
  } else if (key == "required") {
    for (const Json& name : list_of(key, value))
      add_object([&](SchemaTerm& t) { t.properties.push_back({name.as_string(key), {nullptr, true}, false}); });
  } else if (key == "minProperties") {
    if (const std::int64_t n = count_of(key, value); n > 0)
      add_object([&](SchemaTerm& t) { t.max_properties = n - 1; });
  } else if (key == "maxProperties") {
    add_object([&](SchemaTerm& t) { t.min_properties = count_of(key, value) + 1; });
  } else {
    refuse(key, "below \"not\", \"if\" or \"oneOf\"");
  }
  return out;
}

}  // namespace trustformers
