#include "normalizers.h"

#include <array>
#include <functional>

#include "byte_alphabet.h"
#include "charsmap.h"
#include "pattern.h"
#include "unicode.h"
#include "unicode_age.h"

namespace trustformers {
namespace {

using unicode::Change;
using unicode::NormalForm;

/// Walks the code points of `text` and appends what `write(code point, range, out)` makes of each.
template <class Write>
void map_characters(AlignedText& text, Write&& write) {
  AlignedText out;
  out.reserve(text.size());
  const std::string_view source = text.text();
  for (std::size_t i = 0; i < source.size();) {
    const auto c = unicode::decode(source, i);
    write(c.value, text.source(i), out);
    i += c.size;
  }
  text = std::move(out);
}

void keep_if(AlignedText& text, const std::function<bool(char32_t)>& keep) {
  map_characters(text, [&](char32_t c, SourceRange range, AlignedText& out) {
    if (keep(c)) out.append(c, range);
  });
}

bool is_ascii(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  return true;
}

void normalize(AlignedText& text, NormalForm form) {
  if (!is_ascii(text.text())) text.transform(unicode::normalize(text.text(), form));
}

void lowercase(AlignedText& text) {
  std::u32string lower;
  map_characters(text, [&](char32_t c, SourceRange range, AlignedText& out) {
    lower.clear();
    unicode::append_lowercase(lower, c);
    for (const char32_t l : lower) out.append(l, range);
  });
}

class UnicodeFormNormalizer final : public Normalizer {
 public:
  explicit UnicodeFormNormalizer(NormalForm form) : form_(form) {}
  void apply(AlignedText& text) const override { normalize(text, form_); }

 private:
  NormalForm form_;
};

class LowercaseNormalizer final : public Normalizer {
 public:
  void apply(AlignedText& text) const override { lowercase(text); }
};

class StripAccentsNormalizer final : public Normalizer {
 public:
  void apply(AlignedText& text) const override {
    keep_if(text, [](char32_t c) { return !(unicode::category(c) & unicode::mark) || unicode::is_newer_than_9(c); });
  }
};

class BertNormalizer final : public Normalizer {
 public:
  explicit BertNormalizer(const Spec& spec)
      : clean_text_(spec.flag("clean_text", true)),
        chinese_(spec.flag("handle_chinese_chars", true)),
        lowercase_(spec.flag("lowercase", true)),
        strip_accents_(spec.flag("strip_accents", lowercase_)) {
    for (unsigned char c = 0; c < 0x80; ++c) {
      if (clean_text_ && (c == 0 || is_control(c))) continue;
      const bool capital = lowercase_ && c >= 'A' && c <= 'Z';
      const int now = clean_text_ && unicode::is_whitespace(c) ? ' ' : capital ? c + 32 : c;
      ascii_[c] = {{static_cast<char>(now), 0}, 1};
    }
  }

  // Each ASCII character is changed by itself, and none reorders or composes with what is beside it: what is between
  // them is normalised alone.
  void apply(AlignedText& text) const override {
    AlignedText out;
    out.reserve(text.size());
    const std::string_view all = text.text();
    const auto is_ascii_at = [&](std::size_t i) { return static_cast<unsigned char>(all[i]) < 0x80; };
    for (std::size_t begin = 0; begin < all.size();) {
      std::size_t end = begin + 1;
      while (end < all.size() && is_ascii_at(end) == is_ascii_at(begin)) ++end;
      if (is_ascii_at(begin)) {
        out.append_bytes(text, begin, end, ascii_);
      } else {
        AlignedText part = text.slice(begin, end);
        apply_slowly(part);
        out.append(part, 0, part.size());
      }
      begin = end;
    }
    text = std::move(out);
  }

 private:
  void apply_slowly(AlignedText& text) const {
    if (clean_text_) {
      map_characters(text, [](char32_t c, SourceRange range, AlignedText& out) {
        if (c == 0 || c == 0xFFFD || is_control(c)) return;
        out.append(unicode::is_whitespace(c) ? U' ' : c, range);
      });
    }
    if (chinese_) {
      map_characters(text, [](char32_t c, SourceRange range, AlignedText& out) {
        const bool chinese = unicode::is_chinese(c);
        if (chinese) out.append(U' ', range);
        out.append(c, range);
        if (chinese) out.append(U' ', range);
      });
    }
    if (strip_accents_) {
      normalize(text, NormalForm::nfd);
      keep_if(text, [](char32_t c) {
        return !(unicode::category(c) & unicode::nonspacing_mark) || unicode::is_newer_than_8(c);
      });
    }
    if (lowercase_) lowercase(text);
  }
  static bool is_control(char32_t c) {
    if (c == '\t' || c == '\n' || c == '\r') return false;
    constexpr auto other = unicode::control | unicode::format | unicode::surrogate | unicode::private_use;
    return (unicode::category(c) & other) != 0 && !unicode::is_newer_than_8(c);
  }
  bool clean_text_, chinese_, lowercase_, strip_accents_;
  ByteTexts ascii_{};
};

class ReplaceNormalizer final : public Normalizer {
 public:
  explicit ReplaceNormalizer(const Spec& spec)
      : pattern_(make_pattern(spec.at("pattern"))), content_(spec.text("content")) {}
  void apply(AlignedText& text) const override {
    std::vector<Match> parts;
    pattern_->split(text.text(), parts);
    AlignedText out;
    out.reserve(text.size());
    for (const Match& part : parts) {
      text.check_growth(out.size());
      if (!part.matched) {
        out.append(text, part.begin, part.end);
      } else {  // the replacement stands for the last code point it replaces
        out.append(content_, part.end > 0 ? text.source(part.end - 1) : SourceRange{});
      }
    }
    text = std::move(out);
  }

 private:
  std::unique_ptr<Pattern> pattern_;
  std::string content_;
};

class PrependNormalizer final : public Normalizer {
 public:
  explicit PrependNormalizer(const Spec& spec) : prefix_(spec.text("prepend")) {}
  void apply(AlignedText& text) const override { text.prepend(prefix_); }

 private:
  std::string prefix_;
};

class StripNormalizer final : public Normalizer {
 public:
  explicit StripNormalizer(const Spec& spec) : left_(spec.flag("strip_left")), right_(spec.flag("strip_right")) {}
  void apply(AlignedText& text) const override {
    const std::string_view all = text.text();
    std::size_t begin = 0;
    std::size_t end = all.size();
    while (left_ && begin < end && unicode::is_whitespace(unicode::decode(all, begin).value))
      begin += unicode::decode(all, begin).size;
    while (right_ && end > begin && unicode::is_whitespace(unicode::decode_before(all, end).value))
      end -= unicode::decode_before(all, end).size;
    if (end - begin < all.size()) text = text.slice(begin, end);
  }

 private:
  bool left_, right_;
};

/// The character rules of neural machine translation models: controls vanish, odd blanks become blanks.
class NmtNormalizer final : public Normalizer {
 public:
  void apply(AlignedText& text) const override {
    map_characters(text, [](char32_t c, SourceRange range, AlignedText& out) {
      if ((c >= 1 && c <= 8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F) return;
      const bool blank = c == 9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 || (c >= 0x200B && c <= 0x200F) ||
                         c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == 0xFFFD;
      out.append(blank ? U' ' : c, range);
    });
  }
};

class ByteLevelNormalizer final : public Normalizer {
 public:
  void apply(AlignedText& text) const override {
    AlignedText out;
    out.reserve(text.size() * 2);
    out.append_bytes(text, 0, text.size(), byte_alphabet_texts());
    text = std::move(out);
  }
};

class PrecompiledNormalizer final : public Normalizer {
 public:
  explicit PrecompiledNormalizer(const Spec& spec)
      : map_(decode_base64(spec.text("precompiled_charsmap"), spec.path_of("precompiled_charsmap")),
             spec.path_of("precompiled_charsmap")) {
    for (char c = 0; c >= 0; ++c) {
      changes_ascii_[static_cast<unsigned char>(c)] = map_.shortest(std::string_view(&c, 1)).has_value();
      if (c == 0x7F) break;
    }
  }

  // As in Hugging Face's library, which differs from sentencepiece: a short grapheme cluster is replaced as a whole by
  // the rule of its shortest prefix, else its code points one by one.
  void apply(AlignedText& text) const override {
    const std::string_view all = text.text();
    std::vector<Change> changes;
    changes.reserve(all.size());
    bool modified = false;
    std::int32_t state = 0;
    for (std::size_t begin = 0; begin < all.size();) {
      text.check_growth(changes.size());
      if (stands_alone(all, begin)) {
        state = 0;
        changes.push_back({static_cast<char32_t>(all[begin++]), 0});
        continue;
      }
      const std::size_t end = unicode::next_grapheme(all, begin, state);
      const std::string_view cluster = all.substr(begin, end - begin);
      begin = end;
      const auto whole = cluster.size() < 6 ? map_.shortest(cluster) : std::nullopt;
      if (whole) {
        modified = true;
        replace(cluster, whole->replacement, changes);
        continue;
      }
      for (std::size_t i = 0; i < cluster.size();) {
        const auto c = unicode::decode(cluster, i);
        const std::string_view one = cluster.substr(i, c.size);
        if (const auto hit = map_.shortest(one)) {
          modified = true;
          replace(one, hit->replacement, changes);
        } else {
          changes.push_back({c.value, 0});
        }
        i += c.size;
      }
    }
    if (modified) text.transform(changes);
  }

 private:
  static void replace(std::string_view old_part, std::string_view new_part, std::vector<Change>& changes) {
    const auto old_count = static_cast<std::int32_t>(count_of(old_part));
    std::int32_t new_count = 0;
    for (std::size_t i = 0; i < new_part.size(); ++new_count) {
      const auto c = unicode::decode(new_part, i);
      changes.push_back({c.value, new_count < old_count ? 0 : 1});
      i += c.size;
    }
    if (new_count < old_count && !changes.empty()) changes.back().change -= old_count - new_count;
  }
  static std::size_t count_of(std::string_view text) {
    std::size_t n = 0;
    for (std::size_t i = 0; i < text.size(); ++n) i += unicode::decode(text, i).size;
    return n;
  }

  /// Whether the code point at `at` is ASCII without a rule and a cluster by itself, as ASCII goes with nothing ASCII
  /// but the newline after a carriage return.
  bool stands_alone(std::string_view text, std::size_t at) const {
    const auto c = static_cast<unsigned char>(text[at]);
    return c < 0x80 && c != '\r' && !changes_ascii_[c] &&
           (at + 1 == text.size() || static_cast<unsigned char>(text[at + 1]) < 0x80);
  }

  Charsmap map_;
  std::array<bool, 128> changes_ascii_{};
};

class SequenceNormalizer final : public Normalizer {
 public:
  explicit SequenceNormalizer(const Spec& spec) {
    for (const Spec& part : spec.list("normalizers")) parts_.push_back(make_normalizer(part));
  }
  void apply(AlignedText& text) const override {
    for (const auto& part : parts_) {
      part->apply(text);
      text.check_growth(text.size());
    }
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> parts_;
};

}  // namespace

std::unique_ptr<Normalizer> make_normalizer(const Spec& spec) {
  const std::string type = spec.type();
  if (type == "Sequence") return std::make_unique<SequenceNormalizer>(spec);
  if (type == "BertNormalizer") return std::make_unique<BertNormalizer>(spec);
  if (type == "NFC") return std::make_unique<UnicodeFormNormalizer>(NormalForm::nfc);
  if (type == "NFD") return std::make_unique<UnicodeFormNormalizer>(NormalForm::nfd);
  if (type == "NFKC") return std::make_unique<UnicodeFormNormalizer>(NormalForm::nfkc);
  if (type == "NFKD") return std::make_unique<UnicodeFormNormalizer>(NormalForm::nfkd);
  if (type == "Lowercase") return std::make_unique<LowercaseNormalizer>();
  if (type == "StripAccents") return std::make_unique<StripAccentsNormalizer>();
  if (type == "Replace") return std::make_unique<ReplaceNormalizer>(spec);
  if (type == "Prepend") return std::make_unique<PrependNormalizer>(spec);
  if (type == "Strip") return std::make_unique<StripNormalizer>(spec);
  if (type == "Nmt") return std::make_unique<NmtNormalizer>();
  if (type == "ByteLevel") return std::make_unique<ByteLevelNormalizer>();
  if (type == "Precompiled") return std::make_unique<PrecompiledNormalizer>(spec);
  spec.unsupported(type);
}

}  // namespace trustformers
