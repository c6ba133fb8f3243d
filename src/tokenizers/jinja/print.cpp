#include "print.h"

#include <algorithm>
#include <cmath>

#include "../../base/number_text.h"
#include "merge_sort.h"
#include "text.h"

namespace trustformers::jinja {
namespace {

void append_hex(std::string& out, char32_t value, int digits) {
  constexpr std::string_view alphabet = "0123456789abcdef";
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out.push_back(alphabet[(value >> shift) & 0xfu]);
}

void append_string_repr(std::string& out, std::string_view text) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const char quote = has_single && text.find('"') == std::string_view::npos ? '"' : '\'';
  out.push_back(quote);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = point_size(text, at);
    const char32_t point = point_at(text, at);
    if (point == static_cast<char32_t>(quote) || point == '\\') {
      out.push_back('\\');
      out.append(text.substr(at, size));
    } else if (point == '\n') {
      out += "\\n";
    } else if (point == '\r') {
      out += "\\r";
    } else if (point == '\t') {
      out += "\\t";
    } else if (is_printable(point)) {
      out.append(text.substr(at, size));
    } else if (point < 0x100) {
      append_hex(out += "\\x", point, 2);
    } else if (point < 0x10000) {
      append_hex(out += "\\u", point, 4);
    } else {
      append_hex(out += "\\U", point, 8);
    }
    at += size;
  }
  out.push_back(quote);
}

/// Writes into one growing text and pays for what it writes.
class Printer {
 public:
  explicit Printer(Budget& budget) : budget_(budget) {}

  void repr(const Value& value) {
    const Budget::Level level(budget_);
    budget_.step();
    const std::size_t before = out_.size();
    if (value.is_string()) {
      if (value.is_markup()) out_ += "Markup(";
      append_string_repr(out_, value.text());
      if (value.is_markup()) out_ += ")";
    } else if (const List* list = value.get<List>()) {
      repr(*list);
    } else if (const Dict* dict = value.get<Dict>()) {
      members(dict->entries());
    } else if (const auto* space = value.get<std::shared_ptr<Namespace>>()) {
      std::vector<Dict::Entry> entries;
      for (const auto& [name, member] : (*space)->members) entries.emplace_back(Value::string(name), member);
      out_ += "<Namespace ";
      members(entries);
      out_ += ">";
    } else if (const auto* number = value.get<std::int64_t>()) {
      out_ += std::to_string(*number);
    } else if (const auto* real = value.get<double>()) {
      out_ += float_repr(*real);
    } else if (const auto* flag = value.get<bool>()) {
      out_ += *flag ? "True" : "False";
    } else if (value.is_none()) {
      out_ += "None";
    } else if (value.is_undefined()) {
      out_ += "Undefined";
    } else if (const auto* function = value.get<std::shared_ptr<const Callable>>()) {
      out_ += "<function " + (*function)->name + ">";
    } else {
      out_ += "<LoopContext>";
    }
    budget_.produce(out_.size() - before);
  }

  std::string take() { return std::move(out_); }

 private:
  void repr(const List& list) {
    switch (list.kind) {
      case List::Kind::range: out_ += list.label; return;
      case List::Kind::generator: out_ += "<generator object>"; return;
      case List::Kind::view: out_ += list.label + "(["; break;
      case List::Kind::tuple: out_ += "("; break;
      case List::Kind::list: out_ += "["; break;
    }
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      if (i > 0) out_ += ", ";
      repr(list.items[i]);
    }
    if (list.kind == List::Kind::tuple)
      out_ += list.items.size() == 1 ? ",)" : ")";
    else
      out_ += list.kind == List::Kind::view ? "])" : "]";
  }

  void members(const std::vector<Dict::Entry>& entries) {
    out_ += "{";
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (i > 0) out_ += ", ";
      repr(entries[i].first);
      out_ += ": ";
      repr(entries[i].second);
    }
    out_ += "}";
  }

  Budget& budget_;
  std::string out_;
};

class JsonPrinter {
 public:
  JsonPrinter(const JsonStyle& style, Budget& budget) : style_(style), budget_(budget) {}

  void write(const Value& value) {
    const Budget::Level level(budget_);
    budget_.step();
    const std::size_t before = out_.size();
    if (value.is_string()) {
      string(value.text());
    } else if (const List* list = value.get<List>();
               list != nullptr && (list->kind == List::Kind::list || list->kind == List::Kind::tuple)) {
      array(list->items);
    } else if (const Dict* dict = value.get<Dict>()) {
      object(*dict);
    } else {
      out_ += scalar(value);
    }
    budget_.produce(out_.size() - before);
  }

  std::string take() { return std::move(out_); }

 private:
  static std::string scalar(const Value& value) {
    if (value.is_none()) return "null";
    if (const auto* flag = value.get<bool>()) return *flag ? "true" : "false";
    if (const auto* number = value.get<std::int64_t>()) return std::to_string(*number);
    if (const auto* real = value.get<double>()) {
      if (std::isnan(*real)) return "NaN";
      if (std::isinf(*real)) return *real < 0 ? "-Infinity" : "Infinity";
      return float_repr(*real);
    }
    fail(ErrorCode::invalid_argument, "[chat_template] Object of type ", value.type_name(),
         " is not JSON serializable");
  }

  void string(std::string_view text) {
    out_.push_back('"');
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = point_size(text, at);
      const char32_t point = point_at(text, at);
      switch (point) {
        case '"': out_ += "\\\""; break;
        case '\\': out_ += "\\\\"; break;
        case '\n': out_ += "\\n"; break;
        case '\r': out_ += "\\r"; break;
        case '\t': out_ += "\\t"; break;
        case '\b': out_ += "\\b"; break;
        case '\f': out_ += "\\f"; break;
        default:
          if (point < 0x20 || (style_.ensure_ascii && point > 0x7e))
            escape(point);
          else
            out_.append(text.substr(at, size));
      }
      at += size;
    }
    out_.push_back('"');
  }

  void escape(char32_t point) {
    if (point == 0x7f) {  // the one code point above '~' that is ASCII
      out_.push_back('\x7f');
    } else if (point < 0x10000) {
      append_hex(out_ += "\\u", point, 4);
    } else {
      append_hex(out_ += "\\u", 0xd800 + ((point - 0x10000) >> 10), 4);
      append_hex(out_ += "\\u", 0xdc00 + ((point - 0x10000) & 0x3ff), 4);
    }
  }

  void array(const std::vector<Value>& items) {
    if (items.empty()) {
      out_ += "[]";
      return;
    }
    out_ += "[";
    ++nesting_;
    for (std::size_t i = 0; i < items.size(); ++i) {
      separate(i);
      write(items[i]);
    }
    --nesting_;
    new_line();
    out_ += "]";
  }

  void object(const Dict& dict) {
    if (dict.size() == 0) {
      out_ += "{}";
      return;
    }
    std::vector<const Dict::Entry*> entries;
    for (const Dict::Entry& entry : dict.entries()) entries.push_back(&entry);
    if (style_.sort_keys)
      merge_sort(entries,
                 [&](const Dict::Entry* a, const Dict::Entry* b) { return less(a->first, b->first, budget_); });
    out_ += "{";
    ++nesting_;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      separate(i);
      const Value& key = entries[i]->first;
      string(key.is_string() ? key.text() : scalar(key));
      out_ += style_.key_separator;
      write(entries[i]->second);
    }
    --nesting_;
    new_line();
    out_ += "}";
  }

  void separate(std::size_t place) {
    if (place > 0) out_ += style_.item_separator;
    new_line();
  }
  void new_line() {
    if (!style_.indent) return;
    budget_.produce(style_.indent->size() * nesting_);
    out_.push_back('\n');
    for (std::size_t i = 0; i < nesting_; ++i) out_ += *style_.indent;
  }

  const JsonStyle& style_;
  Budget& budget_;
  std::string out_;
  std::size_t nesting_ = 0;
};

}  // namespace

std::string float_repr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::string result = std::signbit(value) ? "-" : "";
  const auto [digits, exponent] = shortest_digits(std::abs(value));
  const auto count = static_cast<int>(digits.size());
  if (exponent < -4 || exponent >= 16) {
    result += digits.substr(0, 1);
    if (count > 1) result += "." + digits.substr(1);
    const int magnitude = std::abs(exponent);
    return result + (exponent < 0 ? "e-" : "e+") + (magnitude < 10 ? "0" : "") + std::to_string(magnitude);
  }
  const auto zeros = [](int number) { return std::string(static_cast<std::size_t>(number), '0'); };
  if (exponent < 0) return result + "0." + zeros(-exponent - 1) + digits;
  if (count <= exponent + 1) return result + digits + zeros(exponent + 1 - count) + ".0";
  const auto point = static_cast<std::size_t>(exponent) + 1;
  return result + digits.substr(0, point) + "." + digits.substr(point);
}

std::string to_repr(const Value& value, Budget& budget) {
  Printer printer(budget);
  printer.repr(value);
  return printer.take();
}

std::string to_text(const Value& value, Budget& budget) {
  if (value.is_string()) return value.text();
  if (value.is_undefined()) return {};
  return to_repr(value, budget);
}

std::string to_json(const Value& value, const JsonStyle& style, Budget& budget) {
  JsonPrinter printer(style, budget);
  printer.write(value);
  return printer.take();
}

}  // namespace trustformers::jinja
