// Filters that lay text out: pprint, wordwrap, xmlattr.
#include <algorithm>

#include "../regex.h"
#include "arguments.h"
#include "builtins.h"
#include "print.h"
#include "text.h"

namespace trustformers::jinja {
namespace {

// Python's pprint.pformat with its defaults: 80 columns, keys in order, one element a line where a line is too short.
class Pretty {
 public:
  explicit Pretty(Budget& budget) : budget_(budget) {}

  // `indent`: columns before the value; `allowance`: columns behind it that something else needs.
  void write(const Value& value, std::int64_t indent, std::int64_t allowance, int level) {
    const Budget::Level nested(budget_);
    const std::string whole = to_repr(sorted(value), budget_);
    if (columns(whole) <= width - indent - allowance) return append(whole);
    if (const auto* dict = value.get<Dict>()) {
      write_dict(*dict, indent + 1, allowance + 1, level);
    } else if (const auto* list = value.get<List>(); list && list->kind == List::Kind::list) {
      write_items(*list, "[", "]", indent + 1, allowance + 1, level);
    } else if (list && list->kind == List::Kind::tuple) {
      const std::string_view end = list->items.size() == 1 ? ",)" : ")";
      write_items(*list, "(", end, indent + 1, allowance + static_cast<std::int64_t>(end.size()), level);
    } else if (value.is_string() && !value.text().empty()) {
      write_string(value.text(), indent, allowance, level);
    } else {
      append(whole);
    }
  }

  std::string take() { return std::move(out_); }

 private:
  static constexpr std::int64_t width = 80;
  static std::int64_t columns(std::string_view text) { return static_cast<std::int64_t>(count_code_points(text)); }

  void append(std::string_view text) {
    budget_.produce(text.size());
    out_ += text;
  }
  void new_line(std::int64_t indent) {
    append("\n");
    append(std::string(static_cast<std::size_t>(indent), ' '));
  }

  /// The value with the keys of its dictionaries in order, as they are shown.
  Value sorted(const Value& value) {
    if (const auto* dict = value.get<Dict>()) {
      Dict out;
      for (const auto& [key, item] : ordered(*dict)) out.set(key, sorted(item));
      return Value::dict(std::move(out));
    }
    const auto* list = value.get<List>();
    if (!list || (list->kind != List::Kind::list && list->kind != List::Kind::tuple)) return value;
    budget_.step(list->items.size());
    List out{list->kind, {}};
    for (const Value& item : list->items) out.items.push_back(sorted(item));
    return list->kind == List::Kind::list ? Value::list(std::move(out.items)) : Value::tuple(std::move(out.items));
  }

  std::vector<Dict::Entry> ordered(const Dict& dict) {
    budget_.step(dict.size());
    std::vector<Dict::Entry> entries(dict.entries().begin(), dict.entries().end());
    const auto comparable = [](const Value& value) { return value.is_string() ? 2 : value.is_none() ? 0 : 1; };
    std::stable_sort(entries.begin(), entries.end(), [&](const Dict::Entry& a, const Dict::Entry& b) {
      const int left = comparable(a.first), right = comparable(b.first);
      return left == right && left != 0 ? less(a.first, b.first, budget_) : a.first.type_name() < b.first.type_name();
    });
    return entries;
  }

  void write_dict(const Dict& dict, std::int64_t indent, std::int64_t allowance, int level) {
    append("{");
    const auto entries = ordered(dict);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const bool last = i + 1 == entries.size();
      const std::string key = to_repr(entries[i].first, budget_) + ": ";
      append(key);
      write(entries[i].second, indent + columns(key), last ? allowance : 1, level + 1);
      if (last) break;
      append(",");
      new_line(indent);
    }
    append("}");
  }

  void write_items(const List& list, std::string_view begin, std::string_view end, std::int64_t indent,
                   std::int64_t allowance, int level) {
    append(begin);
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      const bool last = i + 1 == list.items.size();
      write(list.items[i], indent, last ? allowance : 1, level + 1);
      if (last) break;
      append(",");
      new_line(indent);
    }
    append(end);
  }

  // A long string is cut at its line ends, and long lines behind blanks.
  void write_string(const std::string& text, std::int64_t indent, std::int64_t allowance, int level) {
    const bool outermost = level == 0;
    if (outermost) {
      ++indent;
      ++allowance;
    }
    const auto shown = [&](std::string_view part) { return to_repr(Value::string(part), budget_); };
    const std::int64_t most = width - indent;
    std::vector<std::string> chunks;
    const auto lines = split_lines(text, true);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const bool last_line = i + 1 == lines.size();
      std::string whole = shown(lines[i]);
      if (columns(whole) <= most - (last_line ? allowance : 0)) {
        chunks.push_back(std::move(whole));
        continue;
      }
      std::string current;
      const auto words = words_with_blanks(lines[i]);
      for (std::size_t k = 0; k < words.size(); ++k) {
        const bool last = last_line && k + 1 == words.size();
        const std::string candidate = current + std::string(words[k]);
        if (columns(shown(candidate)) > most - (last ? allowance : 0)) {
          if (!current.empty()) chunks.push_back(shown(current));
          current = words[k];
        } else {
          current = candidate;
        }
      }
      if (!current.empty()) chunks.push_back(shown(current));
    }
    if (chunks.size() == 1) return append(shown(text));
    if (outermost) append("(");
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      if (i > 0) new_line(indent);
      append(chunks[i]);
    }
    if (outermost) append(")");
  }

  static std::vector<std::string_view> words_with_blanks(std::string_view line) {
    std::vector<std::string_view> out;
    for (std::size_t at = 0, begin = 0; at < line.size();) {
      const bool blank = is_space(point_at(line, at));
      at += point_size(line, at);
      if (at == line.size() || (blank && !is_space(point_at(line, at)))) {
        out.push_back(line.substr(begin, at - begin));
        begin = at;
      }
    }
    return out;
  }

  Budget& budget_;
  std::string out_;
};

Value pprint(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  const Arguments arguments("pprint", given, {});
  Pretty pretty(interpreter.budget());
  pretty.write(value, 0, 0, 0);
  return Value::string(pretty.take());
}

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// Python's textwrap.wrap without its replacing of white space. `break_hyphens`: words part behind hyphens too.
std::vector<std::string> wrap(std::string_view line, std::int64_t width, bool break_long, bool break_hyphens,
                              Budget& budget) {
  static const Regex plain("[\\t\\n\\x0b\\x0c\\r ]+");
  static const Regex hyphens(
      "[\\t\\n\\x0b\\x0c\\r ]+|(?<=[\\w!\"'&.,?])-{2,}(?=\\w)|[^\\t\\n\\x0b\\x0c\\r ]+?(?:-(?:(?<=[^\\d\\W]{2}-)|(?<=[^"
      "\\d\\W]-[^\\d\\W]-))(?=[^\\d\\W]-?[^\\d\\W])|(?=[\\t\\n\\x0b\\x0c\\r ]|\\z)|(?<=[\\w!\"'&.,?])(?=-{2,}\\w))");
  std::vector<Match> matches;
  (break_hyphens ? hyphens : plain).split(line, matches);
  budget.step(matches.size());
  std::vector<std::string> chunks, lines;
  for (const Match& match : matches) chunks.emplace_back(line.substr(match.begin, match.end - match.begin));
  const auto size_of = [](std::string_view text) { return static_cast<std::int64_t>(count_code_points(text)); };
  const auto blank = [](const std::string& text) { return std::all_of(text.begin(), text.end(), is_blank); };
  for (std::size_t at = 0; at < chunks.size();) {
    if (!lines.empty() && blank(chunks[at])) ++at;
    std::vector<std::string> current;
    std::int64_t used = 0;
    for (; at < chunks.size() && used + size_of(chunks[at]) <= width; ++at) {
      used += size_of(chunks[at]);
      current.push_back(chunks[at]);
    }
    if (at < chunks.size() && size_of(chunks[at]) > width) {
      if (break_long) {
        const auto offsets = point_offsets(chunks[at]);
        const std::int64_t room = std::max<std::int64_t>(width - used, width < 1 ? 1 : 0);
        std::size_t end = static_cast<std::size_t>(room);
        if (break_hyphens && room > 0) {  // behind a hyphen that is not the word's first sign
          const std::string head = chunks[at].substr(0, offsets[end]);
          const std::size_t hyphen = head.rfind('-');
          if (hyphen != std::string::npos && head.find_first_not_of('-') < hyphen)
            end = count_code_points(std::string_view(head).substr(0, hyphen + 1));
        }
        current.push_back(chunks[at].substr(0, offsets[end]));
        chunks[at].erase(0, offsets[end]);
      } else if (current.empty()) {
        current.push_back(chunks[at++]);
      }
    }
    if (!current.empty() && blank(current.back())) current.pop_back();
    if (current.empty()) continue;
    std::string joined;
    for (const std::string& part : current) joined += part;
    budget.produce(joined.size());
    lines.push_back(std::move(joined));
  }
  return lines;
}

Value wordwrap(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  const Arguments arguments("wordwrap", given, {"width", "break_long_words", "wrapstring", "break_on_hyphens"});
  Budget& budget = interpreter.budget();
  const std::int64_t width = arguments.integer(0, 79);
  check(width > 0, ErrorCode::invalid_argument, "[chat_template] wordwrap: invalid width ", width);
  const std::string between = arguments.has(2) ? arguments.text(2) : "\n";
  check(value.is_string(), ErrorCode::invalid_argument, "[chat_template] wordwrap needs a string, got ",
        value.type_name());
  std::string out;
  bool first_line = true;
  for (const std::string_view line : split_lines(value.text(), false)) {
    if (!first_line) out += between;
    first_line = false;
    bool first = true;
    for (const std::string& part : wrap(line, width, arguments.flag(1, true), arguments.flag(3, true), budget)) {
      if (!first) out += between;
      first = false;
      out += part;
    }
    budget.produce(out.size() / 8 + between.size());
  }
  return Value::string(std::move(out));
}

Value xmlattr(Interpreter& interpreter, const Value& value, const CallArguments& given) {
  const Arguments arguments("xmlattr", given, {"autospace"});
  const auto* dict = value.get<Dict>();
  check(dict != nullptr, ErrorCode::invalid_argument, "[chat_template] xmlattr needs a dict, got ", value.type_name());
  Budget& budget = interpreter.budget();
  std::string out;
  const auto escaped = [&](const Value& one) {
    const std::string text = to_text(one, budget);
    return one.is_markup() ? text : escape_html(text);
  };
  for (const auto& [key, item] : dict->entries()) {
    budget.step();
    if (item.is_none() || item.is_undefined()) continue;
    check(key.is_string() && std::none_of(key.text().begin(), key.text().end(),
                                          [](char c) { return is_blank(c) || c == '/' || c == '>' || c == '='; }),
          ErrorCode::invalid_argument, "[chat_template] xmlattr: no attribute's name: ", to_repr(key, budget));
    if (!out.empty()) out += ' ';
    const std::string attribute = escaped(key) + "=\"" + escaped(item) + '"';
    budget.produce(attribute.size());
    out += attribute;
  }
  if (arguments.flag(0, true) && !out.empty()) out.insert(0, 1, ' ');
  return Value::string(std::move(out));
}

constexpr Named<FilterFunction> layout_filters[] = {{"pprint", pprint}, {"wordwrap", wordwrap}, {"xmlattr", xmlattr}};

}  // namespace

FilterFunction find_layout_filter(std::string_view name) { return find_named<FilterFunction>(layout_filters, name); }

}  // namespace trustformers::jinja
