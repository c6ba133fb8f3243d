#include "gguf_metadata.h"

#include <array>
#include <limits>
#include <optional>
#include <type_traits>

#include "../base/byte_reader.h"
#include "source.h"

namespace trustformers {
namespace {

constexpr std::size_t type_count = 13;
constexpr std::array<std::string_view, type_count> type_names = {
    "u8", "i8", "u16", "i16", "u32", "i32", "f32", "boolean", "string", "array", "u64", "i64", "f64"};
/// Bytes of a value; for strings and arrays those of the shortest one.
constexpr std::array<std::uint64_t, type_count> least_bytes = {1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8};
constexpr int max_depth = 8;

bool is_variable(GgufType type) { return type == GgufType::string || type == GgufType::array; }
std::uint64_t least_size(GgufType type) { return least_bytes[static_cast<std::size_t>(type)]; }

/// A key as the reader's messages show it; without an allocation, for this runs once per element.
std::string_view label(std::string_view key) { return key.substr(0, 200); }

GgufType read_type(ByteReader& reader, std::string_view key) {
  const auto number = reader.read<std::uint32_t>("metadata type");
  check(number < type_count, ErrorCode::parse, "[", reader.where(), "] metadata ", quote_name(key),
        " has the unknown type ", number);
  return static_cast<GgufType>(number);
}

struct ArrayHeader {
  GgufType type;
  std::uint64_t count;
};

/// An array's header, its count checked against what remains.
ArrayHeader read_array_header(ByteReader& reader, std::string_view key) {
  const GgufType type = read_type(reader, key);
  const auto count = reader.read<std::uint64_t>("array length");
  reader.require_elements(count, least_size(type), label(key));
  return {type, count};
}

/// Passes over the elements of an array.
void skip_elements(ByteReader& reader, std::string_view key, const ArrayHeader& array, int depth) {
  check(depth <= max_depth, ErrorCode::parse, "[", reader.where(), "] metadata ", quote_name(key),
        " nests arrays deeper than ", max_depth);
  if (!is_variable(array.type)) return reader.skip(array.count * least_size(array.type), "array");
  for (std::uint64_t i = 0; i < array.count; ++i) {
    if (array.type == GgufType::string)
      reader.skip(reader.read<std::uint64_t>("string length"), "string");
    else
      skip_elements(reader, key, read_array_header(reader, key), depth + 1);
  }
}

template <class T>
T read_as(std::span<const std::byte> bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

/// Calls `use` with the number as its own C++ type; false when `type` is no number.
template <class Use>
bool with_number(GgufType type, std::span<const std::byte> bytes, Use use) {
  switch (type) {
    case GgufType::u8: return use(read_as<std::uint8_t>(bytes)), true;
    case GgufType::i8: return use(read_as<std::int8_t>(bytes)), true;
    case GgufType::u16: return use(read_as<std::uint16_t>(bytes)), true;
    case GgufType::i16: return use(read_as<std::int16_t>(bytes)), true;
    case GgufType::u32: return use(read_as<std::uint32_t>(bytes)), true;
    case GgufType::i32: return use(read_as<std::int32_t>(bytes)), true;
    case GgufType::u64: return use(read_as<std::uint64_t>(bytes)), true;
    case GgufType::i64: return use(read_as<std::int64_t>(bytes)), true;
    case GgufType::f32: return use(read_as<float>(bytes)), true;
    case GgufType::f64: return use(read_as<double>(bytes)), true;
    default: return false;
  }
}

}  // namespace

std::string_view to_string(GgufType type) { return type_names[static_cast<std::size_t>(type)]; }

GgufValue GgufValue::parse_typed(ByteReader& reader, std::string_view key) {
  const GgufType type = read_type(reader, key);
  return parse(reader, key, type);
}

GgufValue GgufValue::parse(ByteReader& reader, std::string_view key, GgufType type) {
  GgufValue value;
  value.key_ = key;
  value.type_ = value.element_type_ = type;
  if (type == GgufType::array) {
    const ArrayHeader array = read_array_header(reader, key);
    value.element_type_ = array.type;
    value.size_ = array.count;
    ByteReader before = reader;
    skip_elements(reader, key, array, 1);
    value.bytes_ = before.take(reader.offset() - before.offset(), "array");
  } else if (type == GgufType::string) {
    value.bytes_ = reader.take(reader.read<std::uint64_t>("string length"), label(key));
  } else {
    value.bytes_ = reader.take(least_size(type), label(key));
  }
  return value;
}

std::string GgufValue::describe_type() const {
  return is_array() ? str("array of ", size_, " ", to_string(element_type_)) : std::string(to_string(type_));
}

void GgufValue::fail_type(std::string_view expected) const {
  fail(ErrorCode::parse, "[gguf] metadata ", quote_name(key_), ": expected ", expected, ", got ", describe_type());
}

std::int64_t GgufValue::as_int() const {
  std::optional<std::int64_t> result;
  with_number(type_, bytes_, [&]<class T>(T number) {
    if constexpr (std::is_same_v<T, std::uint64_t>)
      check(number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()), ErrorCode::out_of_range,
            "[gguf] metadata ", quote_name(key_), ": expected at most 2^63 - 1, got ", number);
    if constexpr (std::is_integral_v<T>) result = static_cast<std::int64_t>(number);
  });
  if (!result) fail_type("an integer");
  return *result;
}

std::uint64_t GgufValue::as_uint() const {
  if (type_ == GgufType::u64) return read_as<std::uint64_t>(bytes_);
  const std::int64_t value = as_int();
  check(value >= 0, ErrorCode::out_of_range, "[gguf] metadata ", quote_name(key_), ": expected at least 0, got ",
        value);
  return static_cast<std::uint64_t>(value);
}

double GgufValue::as_double() const {
  double result = 0;
  if (!with_number(type_, bytes_, [&](auto number) { result = static_cast<double>(number); })) fail_type("a number");
  return result;
}

bool GgufValue::as_bool() const {
  if (type_ != GgufType::boolean) fail_type("a boolean");
  return read_as<std::uint8_t>(bytes_) != 0;
}

std::string_view GgufValue::as_string() const {
  if (type_ != GgufType::string) fail_type("a string");
  return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
}

template <class Make>
void GgufValue::each(Make make) const {
  ByteReader reader(bytes_, "gguf");
  for (std::uint64_t i = 0; i < size_; ++i) make(GgufValue::parse(reader, key_, element_type_));
}

template <class Read>
auto GgufValue::array_of(std::string_view expected, Read read) const {
  if (!is_array()) fail_type(expected);
  std::vector<decltype(read(*this))> out;
  out.reserve(static_cast<std::size_t>(size_));  // parse() has compared it with the file
  each([&](const GgufValue& element) { out.push_back(read(element)); });
  return out;
}

std::vector<std::int64_t> GgufValue::as_ints() const {
  return array_of("an array of integers", [](const GgufValue& v) { return v.as_int(); });
}

std::vector<float> GgufValue::as_floats() const {
  return array_of("an array of numbers", [](const GgufValue& v) { return static_cast<float>(v.as_double()); });
}

std::vector<bool> GgufValue::as_bools() const {
  return array_of("an array of booleans", [](const GgufValue& v) { return v.as_bool(); });
}

std::vector<std::string_view> GgufValue::as_strings() const {
  return array_of("an array of strings", [](const GgufValue& v) { return v.as_string(); });
}

std::vector<GgufValue> GgufValue::as_values() const {
  return array_of("an array", [](const GgufValue& v) { return v; });
}

void GgufMetadata::add(const GgufValue& value, std::string_view where) {
  check(index_.emplace(value.key(), values_.size()).second, ErrorCode::parse, "[", where, "] metadata ",
        quote_name(value.key()), " occurs twice");
  values_.push_back(value);
}

const GgufValue* GgufMetadata::find(std::string_view key) const {
  const auto found = index_.find(key);
  return found == index_.end() ? nullptr : &values_[found->second];
}

const GgufValue& GgufMetadata::at(std::string_view key) const {
  const GgufValue* value = find(key);
  check(value != nullptr, ErrorCode::not_found, "[gguf] no metadata ", quote_name(key), " in ", where_);
  return *value;
}

std::int64_t GgufMetadata::get_int(std::string_view key, std::int64_t absent) const {
  const GgufValue* value = find(key);
  return value ? value->as_int() : absent;
}

double GgufMetadata::get_double(std::string_view key, double absent) const {
  const GgufValue* value = find(key);
  return value ? value->as_double() : absent;
}

bool GgufMetadata::get_bool(std::string_view key, bool absent) const {
  const GgufValue* value = find(key);
  return value ? value->as_bool() : absent;
}

std::string_view GgufMetadata::get_string(std::string_view key, std::string_view absent) const {
  const GgufValue* value = find(key);
  return value ? value->as_string() : absent;
}

}  // namespace trustformers
