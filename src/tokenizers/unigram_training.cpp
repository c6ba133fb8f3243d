#include "unigram_training.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <unordered_map>

#include "../base/error.h"
#include "../base/utf8.h"
#include "trie.h"

namespace trustformers {
namespace {

using ScoredPieces = std::vector<std::pair<std::string, double>>;

constexpr std::size_t default_piece_length = 16;
constexpr double unknown_penalty = 10;     // below the least likely piece
constexpr double least_expectation = 0.5;  // pieces expected less often are dropped
constexpr std::size_t unknown_piece = 0;   // its place among the pieces
constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

/// The derivative of log Γ, by its asymptotic series from 7 on.
double digamma(double x) {
  double below = 0;
  for (; x < 7; x += 1) below -= 1 / x;
  x -= 0.5;
  const double y = 1 / (x * x);
  return below + std::log(x) + y / 24 - 7.0 / 960 * y * y + 31.0 / 8064 * y * y * y - 127.0 / 30720 * y * y * y * y;
}

double log_add(double a, double b) {
  const double high = std::max(a, b), low = std::min(a, b);
  return high > low + 50 ? high : high + std::log1p(std::exp(low - high));
}

/// A word, and how often it occurs.
struct CountedWord {
  std::string_view text;
  double count;
};

/// All words as one text, a boundary after each; its places sorted by the `width` characters that follow, as far as the
/// boundary.
class SortedSuffixes {
 public:
  SortedSuffixes(const std::vector<CountedWord>& words, std::size_t width) : width_(width) {
    for (const CountedWord& word : words) {
      text_ += decode_utf8(word.text);
      text_ += boundary;
    }
    places_.resize(text_.size());
    for (std::size_t i = 0; i < places_.size(); ++i) places_[i] = static_cast<std::uint32_t>(i);
    std::sort(places_.begin(), places_.end(), [&](std::uint32_t a, std::uint32_t b) {
      const std::size_t n = common(a, b);
      return n < width_ && (n == 0 || text_[a + n - 1] != boundary) && text_[a + n] < text_[b + n];
    });
  }

  /// Calls found(text, count) for every text of 2 to `width` - 1 characters without a boundary that occurs at least
  /// twice, and not always before the same character.
  template <class Found>
  void repeated(const Found& found) const {
    struct Open {
      std::size_t length, first;  // a text that all places since number `first` begin with
    };
    std::vector<Open> open;
    for (std::size_t i = 1; i <= places_.size(); ++i) {
      const std::size_t shared = i < places_.size() ? common(places_[i - 1], places_[i]) : 0;
      std::size_t first = i - 1;
      while (!open.empty() && open.back().length > shared) {
        const std::u32string_view text = std::u32string_view(text_).substr(places_[i - 1], open.back().length);
        first = open.back().first;
        if (text.size() > 1 && text.size() < width_ && text.find(boundary) == text.npos) found(text, i - first);
        open.pop_back();
      }
      if (shared > 0 && (open.empty() || open.back().length < shared)) open.push_back({shared, first});
    }
  }

 private:
  static constexpr char32_t boundary = 0;
  /// How many characters two places have in common, up to a boundary that they share and that counts.
  std::size_t common(std::uint32_t a, std::uint32_t b) const {
    std::size_t n = 0;
    while (n < width_ && a + n < text_.size() && b + n < text_.size() && text_[a + n] == text_[b + n])
      if (text_[a + n++] == boundary) break;
    return n;
  }

  std::size_t width_;
  std::u32string text_;
  std::vector<std::uint32_t> places_;
};

/// Characters by how often they occur, then repeated texts by how often times how long.
ScoredPieces seed_pieces(const std::vector<CountedWord>& words, std::size_t longest, std::size_t most) {
  std::map<char32_t, double> counts;
  for (const CountedWord& word : words)
    for (const char32_t c : decode_utf8(word.text)) counts[c] += word.count;
  std::vector<std::pair<double, std::u32string>> characters, texts;
  for (const auto& [c, count] : counts) characters.emplace_back(count, std::u32string(1, c));
  SortedSuffixes(words, longest + 1).repeated([&](std::u32string_view text, std::size_t count) {
    texts.emplace_back(static_cast<double>(count * text.size()), text);
  });
  std::sort(characters.rbegin(), characters.rend());
  std::sort(texts.rbegin(), texts.rend());
  ScoredPieces out = {{"", std::numeric_limits<double>::quiet_NaN()}};
  double sum = 0;
  const auto add = [&](const std::pair<double, std::u32string>& entry) {
    out.emplace_back(encode_utf8(entry.second), entry.first);
    sum += entry.first;
  };
  for (const auto& entry : characters) add(entry);
  for (std::size_t i = 0; i < texts.size() && out.size() <= most; ++i) add(texts[i]);
  for (auto& [piece, score] : out) score = std::log(score) - std::log(sum);
  return out;
}

/// The ways to split a text into pieces.
class Lattice {
 public:
  explicit Lattice(const ScoredPieces& pieces) : pieces_(pieces) {
    std::vector<Trie::Key> keys;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 1; i < pieces.size(); ++i) {
      keys.emplace_back(pieces[i].first, static_cast<std::int32_t>(i));
      least = std::min(least, pieces[i].second);
    }
    trie_ = Trie(keys);
    unknown_score_ = least - unknown_penalty;
  }

  void read(std::string_view text) {
    nodes_.clear();
    size_ = text.size();
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t character = utf8_length(text, at);
      bool single = false;
      trie_.prefixes(text.substr(at), [&](std::size_t bytes, std::int32_t id) {
        const auto piece = static_cast<std::size_t>(id);
        nodes_.push_back({at, at + bytes, piece, pieces_[piece].second});
        single = single || bytes == character;
      });
      if (!single) nodes_.push_back({at, at + character, unknown_piece, unknown_score_});
      at += character;
    }
  }

  /// Adds `weight` times how likely each piece is, and gives the log probability of the text.
  double expect(double weight, std::vector<double>& expected) {
    before_.assign(size_ + 1, minus_infinity);
    after_.assign(size_ + 1, minus_infinity);
    before_[0] = after_[size_] = 0;
    for (const Node& n : nodes_) before_[n.end] = log_add(before_[n.end], before_[n.begin] + n.score);
    for (std::size_t i = nodes_.size(); i-- > 0;) {
      const Node& n = nodes_[i];
      after_[n.begin] = log_add(after_[n.begin], after_[n.end] + n.score);
    }
    const double whole = before_[size_];
    for (const Node& n : nodes_)
      expected[n.piece] += weight * std::exp(before_[n.begin] + n.score + after_[n.end] - whole);
    return whole;
  }

  struct Split {
    double score = minus_infinity;
    std::vector<std::size_t> pieces;  // empty: there is none
  };
  /// The likeliest split; without the piece that is the whole text, if so wanted.
  Split best(bool parts_only = false) {
    before_.assign(size_ + 1, minus_infinity);
    last_.assign(size_ + 1, nullptr);
    before_[0] = 0;
    for (const Node& n : nodes_) {
      if (parts_only && n.begin == 0 && n.end == size_) continue;
      const double score = before_[n.begin] + n.score;
      if (before_[n.begin] == minus_infinity || (last_[n.end] && score <= before_[n.end])) continue;
      before_[n.end] = score;
      last_[n.end] = &n;
    }
    Split out;
    if (!last_[size_]) return out;
    out.score = before_[size_];
    for (std::size_t at = size_; at > 0; at = last_[at]->begin) out.pieces.push_back(last_[at]->piece);
    std::reverse(out.pieces.begin(), out.pieces.end());
    return out;
  }

 private:
  struct Node {
    std::size_t begin, end, piece;
    double score;
  };
  static std::size_t utf8_length(std::string_view text, std::size_t at) {
    std::size_t end = at + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
    return end - at;
  }

  const ScoredPieces& pieces_;
  Trie trie_;
  double unknown_score_ = 0;
  std::size_t size_ = 0;
  std::vector<Node> nodes_;  // by begin
  std::vector<double> before_, after_;
  std::vector<const Node*> last_;
};

/// One step of expectation maximisation with a Dirichlet process prior.
ScoredPieces reestimated(const ScoredPieces& pieces, const std::vector<CountedWord>& words) {
  std::vector<double> expected(pieces.size());
  Lattice lattice(pieces);
  for (const CountedWord& word : words) {
    lattice.read(word.text);
    lattice.expect(word.count, expected);
  }
  ScoredPieces out = {pieces[unknown_piece]};
  double sum = 0;
  for (std::size_t i = 1; i < pieces.size(); ++i) {
    if (expected[i] < least_expectation) continue;
    out.emplace_back(pieces[i].first, expected[i]);
    sum += expected[i];
  }
  const double total = digamma(sum);
  for (std::size_t i = 1; i < out.size(); ++i) out[i].second = digamma(out[i].second) - total;
  return out;
}

/// Keeps the `size` pieces without which the likelihood of the words falls most.
ScoredPieces pruned(const ScoredPieces& pieces, const std::vector<CountedWord>& words, std::size_t size) {
  Lattice lattice(pieces);
  // What would stand for each piece if it were gone; nothing where it must stay, or is no split of its own text.
  std::vector<std::vector<std::size_t>> instead(pieces.size());
  std::vector<bool> keep(pieces.size(), true);
  for (std::size_t i = 1; i < pieces.size(); ++i) {
    lattice.read(pieces[i].first);
    Lattice::Split parts = lattice.best(true);
    if (parts.pieces.empty()) continue;
    keep[i] = pieces[i].second > parts.score;
    if (keep[i]) instead[i] = std::move(parts.pieces);
  }
  std::vector<double> count(pieces.size()), words_with(pieces.size());
  double all_words = 0;
  for (const CountedWord& word : words) {
    lattice.read(word.text);
    all_words += word.count;
    for (const std::size_t piece : lattice.best().pieces) {
      count[piece] += word.count;
      words_with[piece] += word.count;
    }
  }
  double sum = 0;
  for (const double c : count) sum += c;

  ScoredPieces out = {pieces[unknown_piece]};
  std::vector<std::pair<double, std::size_t>> losses;
  for (std::size_t i = 1; i < pieces.size(); ++i) {
    if (count[i] == 0 && !keep[i]) continue;
    if (instead[i].empty()) {
      out.push_back(pieces[i]);
      continue;
    }
    if (words_with[i] == 0) continue;
    const double now = std::log(count[i]) - std::log(sum);
    // The reference takes the number of all pieces here for that of the parts.
    const double new_sum = std::log(sum + count[i] * static_cast<double>(pieces.size() - 1));
    double then = 0;
    for (const std::size_t part : instead[i]) then += std::log(count[part] + count[i]) - new_sum;
    losses.emplace_back(words_with[i] / all_words * (now - then), i);
  }
  std::sort(losses.begin(), losses.end(),
            [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  for (std::size_t i = 0; i < losses.size() && out.size() < size; ++i) out.push_back(pieces[losses[i].second]);
  return out;
}

}  // namespace

ScoredPieces learn_unigram_pieces(const std::map<std::string, std::uint64_t>& counts, std::size_t size,
                                  const TrainingOptions& options) {
  check(options.em_steps > 0 && options.shrinking_factor > 0 && options.shrinking_factor < 1,
        ErrorCode::invalid_argument, "[training] em_steps must be positive and shrinking_factor in (0, 1), got ",
        options.em_steps, " and ", options.shrinking_factor);
  std::vector<CountedWord> words;
  std::set<char32_t> alphabet(options.initial_alphabet.begin(), options.initial_alphabet.end());
  for (const auto& [text, count] : counts) {
    if (text.empty()) continue;
    words.push_back({text, static_cast<double>(count)});
    for (const char32_t c : decode_utf8(text)) alphabet.insert(c);
  }
  check(alphabet.size() <= size, ErrorCode::invalid_argument, "[training] vocab_size has room for ", size,
        " pieces, the texts have ", alphabet.size(), " characters");
  ScoredPieces pieces = seed_pieces(words, options.max_token_length.value_or(default_piece_length), options.seed_size);
  const std::size_t enough = size * 11 / 10;
  while (true) {
    for (std::size_t step = 0; step < options.em_steps; ++step) pieces = reestimated(pieces, words);
    if (pieces.size() <= enough) break;
    const std::size_t before = pieces.size();
    const auto target = static_cast<std::size_t>(static_cast<double>(before) * options.shrinking_factor);
    pieces = pruned(pieces, words, std::max(enough, target));
    if (pieces.size() == before) break;  // what is left has no parts to do without it
  }

  std::unordered_map<std::string_view, double> scores;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 1; i < pieces.size(); ++i) {
    scores.emplace(pieces[i].first, pieces[i].second);
    least = std::min(least, pieces[i].second);
  }
  if (pieces.size() == 1) least = 0;
  ScoredPieces out;
  std::set<std::string> chosen;
  const auto add = [&](const std::string& piece, double score) {
    if (chosen.insert(piece).second) out.emplace_back(piece, score);
  };
  double raise = 0;  // characters that were dropped come just above the least likely piece
  for (const char32_t c : alphabet) {
    const std::string piece = encode_utf8(std::u32string(1, c));
    if (const auto known = scores.find(piece); known != scores.end()) {
      add(piece, known->second);
    } else {
      add(piece, least + raise);
      raise += 1e-4;
    }
  }
  for (std::size_t i = 1; i < pieces.size() && out.size() < size; ++i) add(pieces[i].first, pieces[i].second);
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  return out;
}

}  // namespace trustformers
