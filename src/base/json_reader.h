// Reads JSON value by value without building it: for files whose tables of hundreds of thousands of entries go straight
// into other structures. As strict as Json::parse, at many times its speed; everything small is better off there.
//
//   for (reader.enter_object(); reader.next_key(key);)
//     if (key == "size") size = reader.integer(); else reader.skip();
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace trustformers {

/// Errors: parse, with `where`, line and column (counted in code points from 1). The text must outlive the reader.
class JsonReader {
 public:
  /// Checks that the whole text is UTF-8; a byte order mark is skipped.
  JsonReader(std::string_view text, std::string_view where);

  enum class Kind { object, array, string, number, literal };  // literal: true, false, null
  Kind peek();

  void enter_object();
  /// The next key of the object entered last, or false after its last member, which leaves it.
  bool next_key(std::string& key);
  /// The same without a copy: `key` is a part of the text, or `scratch` where escapes had to be resolved.
  bool next_key(std::string_view& key, std::string& scratch);
  void enter_array();
  /// Whether the array entered last has another item; false leaves it.
  bool next_item();

  /// A string: a part of the text, or of `scratch` where escapes had to be resolved.
  std::string_view string(std::string& scratch);
  std::int64_t integer();
  /// Any number as a double.
  double number();
  /// Steps over a value and gives its text. Only brackets and strings are checked: what counts is parsed afterwards.
  std::string_view skip();
  /// Throws unless only white space follows.
  void finish();

  [[noreturn]] void refuse(std::string_view reason) const;

 private:
  void space();
  bool take(char c);
  void expect(char c, std::string_view what);
  /// What comes before a member or item: nothing before the first, a comma before others; false at `end`.
  bool next(char end);
  std::string_view number_text();
  void escape(std::string& out);
  std::uint32_t hex4();

  std::string_view text_;
  std::string where_;
  std::size_t at_ = 0;
  bool first_ = true;  // nothing of the object or array entered last has been read
};

}  // namespace trustformers
