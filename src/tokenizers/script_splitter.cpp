#include "../base/utf8.h"
#include "pre_tokenizers.h"
#include "unicode_age.h"

namespace trustformers {
namespace {

// Scripts that have a run of their own. Han comes first, because Kana and the prolonged sound mark count as Han.
constexpr std::string_view scripts =
    "Han Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak Bengali "
    "Bhaiksuki Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian Chakma "
    "Cham Cherokee Coptic Cuneiform Cypriot Cyrillic Deseret Devanagari Dogra Duployan Egyptian_Hieroglyphs "
    "Elbasan Elymaic Ethiopic Georgian Glagolitic Gothic Grantha Greek Gujarati Gunjala_Gondi Gurmukhi "
    "Hangul Hanifi_Rohingya Hanunoo Hatran Hebrew Imperial_Aramaic Inherited Inscriptional_Pahlavi "
    "Inscriptional_Parthian Javanese Kaithi Kannada Kayah_Li Kharoshthi Khmer Khojki Khudawadi Lao Latin "
    "Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian Mahajani Makasar Malayalam Mandaic Manichaean Marchen "
    "Masaram_Gondi Medefaidrin Meetei_Mayek Mende_Kikakui Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi "
    "Mongolian Mro Multani Myanmar Nabataean Nandinagari New_Tai_Lue Newa Nko Nushu Nyiakeng_Puachue_Hmong "
    "Ogham Ol_Chiki Old_Hungarian Old_Italic Old_North_Arabian Old_Permic Old_Persian Old_Sogdian "
    "Old_South_Arabian Old_Turkic Oriya Osage Osmanya Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician "
    "Psalter_Pahlavi Rejang Runic Samaritan Saurashtra Sharada Shavian Siddham SignWriting Sinhala Sogdian "
    "Sora_Sompeng Soyombo Sundanese Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet Takri "
    "Tamil Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta Ugaritic Vai Wancho Warang_Citi Yi "
    "Zanabazar_Square Common";

/// One alternative a script: its first character, then its characters and those without a script. Leading blanks belong
/// to nothing.
std::string script_pattern() {
  std::string pattern;
  for (std::size_t at = 0; at < scripts.size();) {
    const std::size_t end = std::min(scripts.find(' ', at), scripts.size());
    const std::string_view script = scripts.substr(at, end - at);
    at = end + 1;
    if (!pattern.empty()) pattern += '|';
    if (script == "Han") {
      const std::string_view own = "\\p{sc:Han}\\p{sc:Hiragana}\\p{sc:Katakana}\\x{30FC}";
      pattern += str('[', own, "][", own, "\\p{sc:Unknown} ]*");
    } else if (script == "Common") {
      pattern += "(?![ \\x{30FC}])\\p{sc:Common}(?:(?!\\x{30FC})[\\p{sc:Common}\\p{sc:Unknown}])*";
    } else {
      pattern += str("\\p{sc:", script, "}[\\p{sc:", script, "}\\p{sc:Unknown} ]*");
    }
  }
  return pattern;
}

/// The text with a character without script, as long in UTF-8, in place of each that the reference has no script for.
std::string without_newer_characters(std::string_view text) {
  std::string out(text);
  for (std::size_t i = 0; i < text.size();) {
    const auto c = unicode::decode(text, i);
    if (unicode::is_newer_than_9(c.value)) {
      const char32_t none = c.size == 2 ? U'\u0378' : c.size == 3 ? U'\uE000' : U'\U000F0000';
      out.replace(i, c.size, encode_utf8(std::u32string(1, none)));
    }
    i += c.size;
  }
  return out;
}

class ScriptSplitter final : public PreTokenizer {
 public:
  void apply(PreTokenizedText& text) const override {
    text.split([&](std::string_view piece, PreTokenizedText::Keep keep) {
      std::vector<Match> parts;
      runs_.split(without_newer_characters(piece), parts);
      for (const Match& part : parts)
        if (part.matched) keep(part.begin, part.end);
    });
  }

 private:
  Regex runs_{script_pattern(), "UnicodeScripts"};
};

}  // namespace

std::unique_ptr<PreTokenizer> make_script_splitter() { return std::make_unique<ScriptSplitter>(); }

}  // namespace trustformers
