#include "schema_document.h"

#include <algorithm>
#include <charconv>

#include "../../base/error.h"

namespace trustformers {
namespace {

constexpr int max_depth = 200;

/// RFC 3986 as far as schemas need it: `reference` seen from `base`. Neither has a fragment.
std::string resolve_uri(const std::string& base, const std::string& reference) {
  if (reference.empty()) return base;
  const auto colon = reference.find(':');
  if (colon != std::string::npos && reference.find('/') > colon) return reference;
  const auto scheme = base.find("://");
  const auto path = scheme == std::string::npos ? (base.empty() || base[0] != '/' ? std::string::npos : 0)
                                                : base.find('/', scheme + 3);
  if (reference[0] == '/') return (path == std::string::npos ? base : base.substr(0, path)) + reference;
  const auto slash = base.rfind('/');
  if (slash == std::string::npos || (scheme != std::string::npos && slash < scheme + 3))
    return scheme == std::string::npos ? reference : base + "/" + reference;
  return base.substr(0, slash + 1) + reference;
}

std::string unescape_pointer(std::string_view token) {
  std::string out;
  for (std::size_t i = 0; i < token.size(); ++i) {
    unsigned value = 0;
    if (token[i] == '%' && i + 2 < token.size() &&
        std::from_chars(token.data() + i + 1, token.data() + i + 3, value, 16).ptr == token.data() + i + 3) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += token[i];
    }
  }
  std::string plain;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i] == '~' && i + 1 < out.size() && (out[i + 1] == '0' || out[i + 1] == '1'))
      plain += out[++i] == '0' ? '~' : '/';
    else
      plain += out[i];
  }
  return plain;
}

}  // namespace

SchemaDocument::SchemaDocument(std::string_view text) {
  JsonLimits limits;
  limits.allow_non_finite = false;
  root_ = Json::parse(text, "schema", limits);
  check(root_.is_bool() || root_.is_object(), ErrorCode::parse,
        "[schema] a schema must be an object or a boolean, got ", root_.type_name());
  if (const Json* dialect = root_.find("$schema"); dialect && dialect->is_string())
    for (const std::string_view name : {"draft-03", "draft-04", "draft-06", "draft-07"})
      old_ = old_ || dialect->as_string().find(name) != std::string::npos;
  index(root_, "", 0);
  resources_.emplace("", &root_);
}

void SchemaDocument::index(const Json& schema, const std::string& outer, int depth) {
  check(depth < max_depth, ErrorCode::unsupported, "[schema] it is nested deeper than ", max_depth);
  if (!schema.is_object()) return;
  std::string base = outer;
  const Json* id = schema.find("$id");
  check(!id || !schema.find("$ref") || root_.find("$schema"), ErrorCode::unsupported,
        "[schema] \"$id\" beside \"$ref\" means different things by draft; it is not supported without \"$schema\"");
  if (id && id->is_string() && !(old_ && schema.find("$ref"))) {
    const std::string& uri = id->as_string();
    const auto hash = std::min(uri.find('#'), uri.size());
    if (hash > 0) base = resolve_uri(outer, uri.substr(0, hash));
    if (hash > 0) resources_.emplace(base, &schema);
    if (hash + 1 < uri.size()) anchors_.emplace(base + uri.substr(hash), &schema);
  }
  bases_[&schema] = base;
  for (const char* key : {"$anchor", "$dynamicAnchor"})
    if (const Json* name = schema.find(key); name && name->is_string()) {
      anchors_.emplace(base + "#" + name->as_string(), &schema);
      if (std::string_view(key) == "$dynamicAnchor") ++dynamic_anchors_[name->as_string()];
    }
  for (const auto& [key, value] : schema.as_object()) {
    static constexpr std::string_view single[] = {
        "additionalItems",  "additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then",
        "unevaluatedItems", "unevaluatedProperties"};
    static constexpr std::string_view list[] = {"allOf", "anyOf", "items", "oneOf", "prefixItems"};
    static constexpr std::string_view named[] = {"$defs",      "definitions",       "dependencies",
                                                 "properties", "patternProperties", "dependentSchemas"};
    const auto in = [&](const auto& names) {
      return std::find(std::begin(names), std::end(names), key) != std::end(names);
    };
    if (in(single)) index(value, base, depth + 1);
    if (in(list) && value.is_array())
      for (const Json& item : value.as_array()) index(item, base, depth + 1);
    if (in(named) && value.is_object())
      for (const auto& member : value.as_object()) index(member.second, base, depth + 1);
  }
}

const Json* SchemaDocument::at_pointer(const Json& resource, std::string_view pointer) const {
  const Json* at = &resource;
  while (at && !pointer.empty()) {
    if (pointer[0] != '/') return nullptr;
    pointer.remove_prefix(1);
    const auto end = std::min(pointer.find('/'), pointer.size());
    const std::string token = unescape_pointer(pointer.substr(0, end));
    pointer.remove_prefix(end);
    if (at->is_array()) {
      std::size_t i = 0;
      const auto parsed = std::from_chars(token.data(), token.data() + token.size(), i);
      if (parsed.ptr != token.data() + token.size() || i >= at->size()) return nullptr;
      at = &at->as_array()[i];
    } else {
      at = at->find(token);
    }
  }
  return at;
}

const Json& SchemaDocument::resolve(const Json& from, const std::string& reference, bool dynamic) const {
  const auto known = bases_.find(&from);
  const std::string base = known == bases_.end() ? std::string() : known->second;
  const auto hash = std::min(reference.find('#'), reference.size());
  const std::string uri = resolve_uri(base, reference.substr(0, hash));
  const std::string fragment = hash < reference.size() ? reference.substr(hash + 1) : std::string();
  const Json* found = nullptr;
  if (fragment.empty() || fragment[0] == '/') {
    if (const auto resource = resources_.find(uri); resource != resources_.end())
      found = at_pointer(*resource->second, fragment);
  } else if (const auto anchor = anchors_.find(uri + "#" + fragment); anchor != anchors_.end()) {
    found = anchor->second;
  }
  const char* const keyword = dynamic ? "$dynamicRef" : "$ref";
  check(found && (found->is_object() || found->is_bool()), ErrorCode::unsupported, "[schema] \"", keyword, "\": \"",
        reference, "\" does not name a schema of this document");
  if (dynamic && !fragment.empty() && fragment[0] != '/') {
    const auto times = dynamic_anchors_.find(fragment);
    check(times == dynamic_anchors_.end() || times->second == 1, ErrorCode::unsupported,
          "[schema] \"$dynamicRef\" to \"", fragment, "\", which several schemas declare, is not supported");
  }
  return *found;
}

}  // namespace trustformers
