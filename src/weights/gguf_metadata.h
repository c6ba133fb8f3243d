// The key-value metadata of a GGUF file. Values stay in the file and are decoded when asked for, so that a vocabulary
// of 262144 pieces costs nothing until it is read, and then one pass.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace trustformers {

class ByteReader;

/// The numbers are the file's.
enum class GgufType : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };
/// "u8", "string", ...
std::string_view to_string(GgufType type);

/// One value. It is a view: valid while the file it came from is mapped. Readers of another type than the stored one
/// throw ErrorCode::parse and name the key, the type expected and the type found.
class GgufValue {
 public:
  /// Reads a type and a value of it, and checks all lengths inside.
  static GgufValue parse_typed(ByteReader& reader, std::string_view key);
  /// Reads a value of `type`.
  static GgufValue parse(ByteReader& reader, std::string_view key, GgufType type);

  std::string_view key() const { return key_; }
  GgufType type() const { return type_; }
  bool is_array() const { return type_ == GgufType::array; }
  /// Of an array's elements; type() for others.
  GgufType element_type() const { return element_type_; }
  /// Elements of an array; 1 for others.
  std::uint64_t size() const { return size_; }

  /// Any integer type. Throws out_of_range for a u64 that does not fit.
  std::int64_t as_int() const;
  std::uint64_t as_uint() const;
  /// Any integer or float type.
  double as_double() const;
  bool as_bool() const;
  std::string_view as_string() const;
  /// Arrays. The views of as_strings point into the file; as_values takes any element type, arrays included.
  std::vector<std::int64_t> as_ints() const;
  std::vector<float> as_floats() const;
  std::vector<bool> as_bools() const;
  std::vector<std::string_view> as_strings() const;
  std::vector<GgufValue> as_values() const;
  /// "array of 49152 string", "u32"
  std::string describe_type() const;

 private:
  [[noreturn]] void fail_type(std::string_view expected) const;
  /// The elements in order, one value each; `make` gets them.
  template <class Make>
  void each(Make make) const;
  template <class Read>
  auto array_of(std::string_view expected, Read read) const;

  std::string_view key_;
  GgufType type_ = GgufType::u8;
  GgufType element_type_ = GgufType::u8;
  std::uint64_t size_ = 1;
  std::span<const std::byte> bytes_;  // the value; of a string or array without its header
};

/// All values of a file by key.
class GgufMetadata {
 public:
  /// Errors: parse when the key is there already.
  void add(const GgufValue& value, std::string_view where);
  void set_origin(std::string where) { where_ = std::move(where); }

  std::span<const GgufValue> values() const { return values_; }
  bool contains(std::string_view key) const { return find(key) != nullptr; }
  const GgufValue* find(std::string_view key) const;
  /// Throws not_found naming the key and the file.
  const GgufValue& at(std::string_view key) const;

  // With a default the key may be absent; its type must be right all the same.
  std::int64_t get_int(std::string_view key) const { return at(key).as_int(); }
  std::int64_t get_int(std::string_view key, std::int64_t absent) const;
  double get_double(std::string_view key) const { return at(key).as_double(); }
  double get_double(std::string_view key, double absent) const;
  bool get_bool(std::string_view key, bool absent) const;
  std::string_view get_string(std::string_view key) const { return at(key).as_string(); }
  std::string_view get_string(std::string_view key, std::string_view absent) const;

 private:
  std::string where_;
  std::vector<GgufValue> values_;
  std::unordered_map<std::string_view, std::size_t> index_;
};

}  // namespace trustformers
