// JSON values. Object members keep the order of the text; parsing is strict (RFC 8259) and bounded.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace trustformers {

class Json;

struct JsonLimits {
  std::size_t max_depth = 256;
  bool allow_duplicate_keys = true;  // the last one counts, as in Python
  /// Accept NaN, Infinity and -Infinity, which Python's json module writes into config files.
  bool allow_non_finite = true;
};

/// A JSON value. Reading members of the wrong type throws ErrorCode::parse and names the path given by the caller.
class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;

  Json() = default;
  Json(std::nullptr_t) {}                                       // NOLINT(google-explicit-constructor)
  Json(bool value) : value_(value) {}                           // NOLINT(google-explicit-constructor)
  Json(int value) : value_(static_cast<std::int64_t>(value)) {}  // NOLINT(google-explicit-constructor)
  Json(std::int64_t value) : value_(value) {}                   // NOLINT(google-explicit-constructor)
  Json(std::uint64_t value);                                    // NOLINT(google-explicit-constructor)
  Json(double value) : value_(value) {}                         // NOLINT(google-explicit-constructor)
  Json(std::string value) : value_(std::move(value)) {}         // NOLINT(google-explicit-constructor)
  Json(std::string_view value) : value_(std::string(value)) {}  // NOLINT(google-explicit-constructor)
  Json(const char* value) : value_(std::string(value)) {}       // NOLINT(google-explicit-constructor)
  Json(Array value) : value_(std::move(value)) {}               // NOLINT(google-explicit-constructor)
  Json(Object value) : value_(std::move(value)) {}              // NOLINT(google-explicit-constructor)
  static Json array() { return Json(Array()); }
  static Json object() { return Json(Object()); }

  /// Parses a whole text (UTF-8, a byte order mark is skipped). `where` is named in errors, with line and column.
  static Json parse(std::string_view text, std::string_view where = "json", const JsonLimits& limits = {});

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_int() const { return std::holds_alternative<std::int64_t>(value_); }
  bool is_number() const { return is_int() || std::holds_alternative<double>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }
  /// "null", "boolean", "integer", "number", "string", "array" or "object".
  std::string_view type_name() const;

  bool as_bool(std::string_view path = "value") const;
  std::int64_t as_int(std::string_view path = "value") const;  // also a number without fraction
  double as_double(std::string_view path = "value") const;
  const std::string& as_string(std::string_view path = "value") const;
  const Array& as_array(std::string_view path = "value") const;
  const Object& as_object(std::string_view path = "value") const;
  Array& as_array(std::string_view path = "value");
  Object& as_object(std::string_view path = "value");

  /// The member, or nullptr when this is no object or has no such key.
  const Json* find(std::string_view key) const;
  /// The member; throws ErrorCode::parse naming `key` and `path` when absent.
  const Json& at(std::string_view key, std::string_view path = "object") const;
  /// Sets or replaces a member (turns null into an object).
  void set(std::string_view key, Json value);
  std::size_t size() const;

  /// indent < 0: one line without blanks. Doubles are written so that they read back equal.
  std::string dump(int indent = -1) const;

  friend bool operator==(const Json& a, const Json& b);

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

}  // namespace trustformers
