// A JSON Schema as alternatives, each a plain list of demands by type: what remains when allOf, anyOf, oneOf, not, if
// and references are worked out.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "automaton.h"
#include "schema_document.h"

namespace trustformers {

/// Demands that hold together; each speaks of values of its type only.
struct SchemaTerm {
  // Which types may be.
  bool null = true, yes = true, no = true, number = true, string = true, array = true, object = true;
  /// Values of enum and const; empty optional: no such demand.
  std::optional<std::vector<Json>> candidates;

  DfaPtr numbers;  // the texts that numbers may have; none: any
  DfaPtr texts;    // what strings may say; none: anything

  struct Items {
    std::vector<SchemaRef> prefix;
    SchemaRef rest;
    bool covers_rest = false;  // as items or unevaluatedItems does
    bool evaluates = true;     // what it covers is no business of unevaluatedItems
  };
  struct Contains {
    SchemaRef schema;
    std::int64_t least = 1;
    std::optional<std::int64_t> most;
  };
  std::vector<Items> items;
  std::vector<Contains> contains;
  std::int64_t min_items = 0;
  std::optional<std::int64_t> max_items;
  bool unique = false;

  struct Property {
    std::string name;
    SchemaRef schema;
    bool evaluates = true;
  };
  struct Pattern {
    DfaPtr names;
    SchemaRef schema;
    bool evaluates = true;
  };
  struct Rest {  // of names that are not listed and match none of the patterns
    std::vector<std::string> names;
    std::vector<DfaPtr> patterns;
    SchemaRef schema;
    bool evaluates = true;
  };
  std::vector<Property> properties;
  std::vector<Pattern> patterns;
  std::vector<Rest> rests;
  std::set<std::string> required;
  std::vector<SchemaRef> names;  // propertyNames
  std::int64_t min_properties = 0;
  std::optional<std::int64_t> max_properties;

  void no_types() { null = yes = no = number = string = array = object = false; }
};

using SchemaTerms = std::vector<SchemaTerm>;

/// Works a schema out. Errors: unsupported, naming the keyword; parse for a keyword of the wrong form.
class SchemaReader {
 public:
  explicit SchemaReader(const SchemaDocument& document) : document_(document) {}
  /// The alternatives; none: false.
  SchemaTerms terms(SchemaRef ref) { return read(ref, 0); }
  /// Those of several schemas that hold together.
  SchemaTerms all(const std::vector<SchemaRef>& refs);
  /// A value against a schema.
  bool satisfies(const Json& value, SchemaRef ref);
  bool satisfies(const Json& value, const SchemaTerm& term);

 private:
  SchemaTerms read(SchemaRef ref, int depth);
  SchemaTerms read_object(const Json& schema, int depth);
  SchemaTerms read_negated(const Json& schema, int depth);
  SchemaTerms keyword(const Json& schema, const std::string& key, const Json& value, int depth);
  SchemaTerms negated_keyword(const Json& schema, const std::string& key, const Json& value, int depth);
  SchemaTerms any(const Json& list, bool negated, int depth);
  SchemaTerms every(const Json& list, bool negated, int depth);
  SchemaTerms one(const Json& list, int depth);
  SchemaTerms conditional(const Json& schema, bool negated, int depth);
  SchemaTerms dependent(const Json& value, bool negated, int depth);
  SchemaTerm string_rule(const std::string& key, const Json& value, bool negated);
  SchemaTerm number_rule(const std::string& key, const Json& value, bool negated);
  DfaPtr pattern(const std::string& text);
  void add_unevaluated(const Json& schema, SchemaTerms& terms);

  const SchemaDocument& document_;
  std::map<std::string, DfaPtr> patterns_;
};

/// Both; none when they exclude each other plainly.
SchemaTerms both(const SchemaTerms& a, const SchemaTerms& b);

}  // namespace trustformers
