#include "text.h"

#include <charconv>

#include "number_text.h"

namespace trustformers {
namespace {

template <class Number>
void append_number(std::string& out, Number number) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof(digits), number).ptr);
}

}  // namespace

void TextPart::append_to(std::string& out) const {
  switch (kind_) {
    case Kind::text: out += text_; break;
    case Kind::character: out += character_; break;
    case Kind::integer: append_number(out, integer_); break;
    case Kind::natural: append_number(out, natural_); break;
    case Kind::real: out += number_text(real_, 'g', 6); break;
    case Kind::object: object_.append(out, object_.value); break;
  }
}

std::string join(std::span<const TextPart> parts) {
  std::string out;
  for (const TextPart& part : parts) part.append_to(out);
  return out;
}

}  // namespace trustformers
