// JSON values. Object members keep the order of the text; parsing is strict (RFC 8259) and bounded.
#pragma once

#include <concepts>
#include <cstddef>
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

  Json() noexcept = default;
  Json(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): members are written as plain values
  template <std::same_as<bool> T>
  Json(T value) : value_(static_cast<bool>(value)) {}  // NOLINT(google-explicit-constructor)
  /// Integers above the largest std::int64_t become doubles.
  template <std::integral T>
    requires(!std::same_as<T, bool> && !std::same_as<T, char>)
  Json(T value) : value_(static_cast<std::int64_t>(value)) {  // NOLINT(google-explicit-constructor)
    if (!std::in_range<std::int64_t>(value)) value_ = static_cast<double>(value);
  }
  Json(double value) : value_(value) {}                         // NOLINT(google-explicit-constructor)
  Json(std::string value) : value_(std::move(value)) {}         // NOLINT(google-explicit-constructor)
  Json(std::string_view value) : value_(std::string(value)) {}  // NOLINT(google-explicit-constructor)
  Json(const char* value) : value_(std::string(value)) {}       // NOLINT(google-explicit-constructor)
  Json(Array value) : value_(std::move(value)) {}               // NOLINT(google-explicit-constructor)
  Json(Object value) : value_(std::move(value)) {}              // NOLINT(google-explicit-constructor)
  // Destruction keeps its own list of what is left, so that deep values cannot overflow the stack.
  ~Json() {
    if (is_array() || is_object()) release_children();
  }
  Json(const Json&) = default;
  Json(Json&&) noexcept = default;
  Json& operator=(Json other) noexcept {
    value_.swap(other.value_);
    return *this;
  }
  static Json array() { return Json(Array()); }
  static Json object() { return Json(Object()); }

  /// Parses a whole text (strict UTF-8, a byte order mark is skipped). Throws ErrorCode::parse with `where`, line and
  /// column (counted in code points from 1).
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
  /// Also takes a double without a fraction that fits.
  std::int64_t as_int(std::string_view path = "value") const;
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

  /// indent < 0: one line without blanks. Doubles are written as the shortest text that reads back equal (non-finite
  /// ones as Python does: NaN, Infinity, -Infinity); bytes that are not UTF-8 become U+FFFD.
  std::string dump(int indent = -1) const;

  /// Equal types and values; objects are equal when their members are, in any order.
  friend bool operator==(const Json& a, const Json& b);

 private:
  void release_children() noexcept;

  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

}  // namespace trustformers
