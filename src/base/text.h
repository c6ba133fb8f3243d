// Texts put together from parts of many types. Streams would do it too, at many times the code: every check has a
// message.
#pragma once

#include <concepts>
#include <span>
#include <string>
#include <string_view>

namespace trustformers {

/// Something to write: text, a character, a number, or a value that to_string() describes. It refers to what it was
/// made from, which is turned into text only when the whole is.
class TextPart {
 public:
  TextPart(const char* text) : TextPart(std::string_view(text)) {}
  TextPart(const std::string& text) : TextPart(std::string_view(text)) {}
  TextPart(std::string_view text) : kind_(Kind::text), text_(text) {}
  TextPart(char character) : kind_(Kind::character), character_(character) {}
  template <std::signed_integral T>
    requires(sizeof(T) > 1)
  TextPart(T number) : kind_(Kind::integer), integer_(number) {}
  template <std::unsigned_integral T>
    requires(sizeof(T) > 1)
  TextPart(T number) : kind_(Kind::natural), natural_(number) {}
  TextPart(double number) : kind_(Kind::real), real_(number) {}
  TextPart(float number) : TextPart(static_cast<double>(number)) {}
  template <class T>
    requires(!std::is_arithmetic_v<T> && !std::convertible_to<const T&, std::string_view> &&
             requires(const T& value) { std::string_view(to_string(value)); })
  TextPart(const T& value)
      : kind_(Kind::object),
        object_{&value, [](std::string& out, const void* at) { out += to_string(*static_cast<const T*>(at)); }} {}

  void append_to(std::string& out) const;

 private:
  enum class Kind : unsigned char { text, character, integer, natural, real, object };
  struct Object {
    const void* value;
    void (*append)(std::string& out, const void* value);
  };
  Kind kind_;
  union {
    std::string_view text_;
    char character_;
    long long integer_;
    unsigned long long natural_;
    double real_;  // written with at most six digits
    Object object_;
  };
};

std::string join(std::span<const TextPart> parts);

/// The parts one after another.
template <class... Parts>
std::string str(const Parts&... parts) {
  const TextPart list[] = {TextPart(parts)...};
  return join(list);
}

}  // namespace trustformers
