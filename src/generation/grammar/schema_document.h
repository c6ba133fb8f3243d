// A JSON Schema as a document: where its parts are and what its references mean.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "../../base/json.h"

namespace trustformers {

/// A schema that must hold, or must not. Without a schema: true, or false.
struct SchemaRef {
  const Json* schema = nullptr;
  bool negated = false;
  friend auto operator<=>(const SchemaRef&, const SchemaRef&) = default;
};
inline SchemaRef negation(SchemaRef ref) { return {ref.schema, !ref.negated}; }

class SchemaDocument {
 public:
  /// Throws parse for what is no JSON or no schema.
  explicit SchemaDocument(std::string_view text);
  SchemaDocument(const SchemaDocument&) = delete;
  SchemaDocument& operator=(const SchemaDocument&) = delete;

  const Json& root() const { return root_; }
  /// The schema that "$ref" or "$dynamicRef" of `from` names. Throws unsupported for other documents.
  const Json& resolve(const Json& from, const std::string& reference, bool dynamic) const;
  /// True where "$ref" stands alone, whatever is beside it (draft-07 and earlier).
  bool references_stand_alone() const { return old_; }

 private:
  void index(const Json& schema, const std::string& base, int depth);
  const Json* at_pointer(const Json& resource, std::string_view pointer) const;

  Json root_;
  bool old_ = false;
  std::map<const Json*, std::string> bases_;      // of every schema that was found
  std::map<std::string, const Json*> resources_;  // by URI without a fragment
  std::map<std::string, const Json*> anchors_;    // by URI#name
  std::map<std::string, int> dynamic_anchors_;    // how often a name is declared
};

}  // namespace trustformers
