// The tokenizer: text to token ids and back, as Hugging Face's tokenizers and llama.cpp do it.
//
//   const Tokenizer tokenizer = Tokenizer::from_pretrained("SmolLM2-135M-Instruct");
//   const Encoding encoding = tokenizer.encode("Hello, world!");
//   tokenizer.decode(encoding.ids);  // "Hello, world!"
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "encoding.h"
#include "vocabulary.h"

namespace trustformers {

class FileSet;
struct GgufVocabulary;
struct TokenizerParts;

/// One text, or two that belong together. Bytes that are not UTF-8 count as U+FFFD. The texts must outlive the call.
struct EncodeInput {
  EncodeInput(std::string_view first) : text(first) {}    // NOLINT(google-explicit-constructor)
  EncodeInput(const std::string& first) : text(first) {}  // NOLINT(google-explicit-constructor)
  EncodeInput(const char* first) : text(first) {}         // NOLINT(google-explicit-constructor)
  EncodeInput(std::string_view first, std::string_view second) : text(first), pair(second) {}
  std::string_view text;
  std::optional<std::string_view> pair;
};

struct EncodeOptions {
  bool add_special_tokens = true;    // [CLS] … [SEP], <s> … as the tokenizer's file asks
  bool parse_special_tokens = true;  // special tokens written in the text become their ids; false: they are plain text
  std::optional<Truncation> truncation{};
  std::optional<Padding> padding{};
  bool byte_offsets = false;  // offsets count the bytes of the text as given instead of its code points
};

/// Tokens with a role, where the tokenizer's files name them.
struct SpecialTokens {
  std::optional<TokenId> bos, eos, unk, sep, pad, cls, mask;
};

/// Immutable; copies share their tables, and threads may share a tokenizer.
class Tokenizer {
 public:
  /// A tokenizer.json. Errors: parse and unsupported, which name the key, and `where`.
  static Tokenizer from_json(std::string_view text, std::string_view where = "tokenizer.json");
  static Tokenizer from_file(const std::filesystem::path& path);
  /// A model folder: tokenizer.json, else vocab.txt, vocab.json and merges.txt, a sentencepiece model, tekken.json, or
  /// a tiktoken or RWKV vocabulary, converted as tokenizer_config.json's tokenizer_class asks, the way transformers
  /// does it. Also read: special_tokens_map.json, added_tokens.json, chat_template.jinja. Errors: not_found when there
  /// is none of them; unsupported, naming a class that is not known.
  static Tokenizer from_pretrained(const std::filesystem::path& folder);
  static Tokenizer from_files(const FileSet& files);
  /// A sentencepiece `.model` file by itself, as sentencepiece reads it: no special tokens around a text.
  static Tokenizer from_sentencepiece(std::span<const std::byte> model, std::string_view where = "sentencepiece model");
  /// A tiktoken vocabulary; such files hold neither the pattern that cuts texts nor the special tokens.
  static Tokenizer from_tiktoken(std::string_view ranks, std::string_view pattern,
                                 std::span<const std::pair<std::string, TokenId>> special_tokens = {});
  /// Mistral's tekken.json; <s> is put in front.
  static Tokenizer from_tekken(std::string_view json);
  /// The vocabulary text of RWKV's world models.
  static Tokenizer from_rwkv_world(std::string_view text);
  /// The tokenizer inside a GGUF file; it follows sentencepiece where that differs from Hugging Face's conversion.
  static Tokenizer from_gguf(const GgufVocabulary& vocabulary);

  Encoding encode(const EncodeInput& input, const EncodeOptions& options = {}) const;
  /// Padding, when asked for, is to one length for all.
  std::vector<Encoding> encode_batch(std::span<const EncodeInput> inputs, const EncodeOptions& options = {}) const;
  /// A text that is cut into words already: word ids count them, and offsets count from the start of each word.
  /// `options` as of encode(); byte_offsets is not for words.
  Encoding encode_words(std::span<const std::string> words, const EncodeOptions& options = {}) const;
  /// Ids without a token stand for nothing. `clean_up` takes out blanks that stand before marks and English endings;
  /// not given: as the tokenizer's files ask (see cleans_up_spaces).
  std::string decode(std::span<const TokenId> ids, bool skip_special_tokens = false,
                     std::optional<bool> clean_up = std::nullopt) const;
  /// The text of tokens that need not be of the vocabulary.
  std::string decode_tokens(std::vector<std::string> tokens) const;

  std::optional<TokenId> token_to_id(std::string_view token) const;
  std::optional<std::string> id_to_token(TokenId id) const;
  /// Number of different tokens, added ones included.
  std::size_t vocab_size() const;
  const SpecialTokens& special_tokens() const;
  /// True for tokens that decode(skip_special_tokens) leaves out.
  bool is_special(TokenId id) const;

  /// What the file itself asks for; encode() applies it only when it is put into its options.
  const std::optional<Truncation>& truncation() const;
  /// The file's padding, else the pad token on the right to the longest of a batch.
  const Padding& padding() const;
  /// The most tokens the model takes, where tokenizer_config.json says it.
  std::optional<std::size_t> model_max_length() const;
  /// What tokenizer_config.json's clean_up_tokenization_spaces asks of decode(). As in transformers, byte-pair
  /// encodings are left alone whatever it says.
  bool cleans_up_spaces() const;
  /// The inputs that models of this tokenizer take, where tokenizer_config.json names them.
  const std::vector<std::string>& model_input_names() const;
  /// What tokens begin with that continue a word ("##"), or nothing.
  std::string_view continuing_subword_prefix() const;
  /// Chat templates by name; the usual one is "default". Jinja text.
  const std::map<std::string, std::string>& chat_templates() const;

  explicit Tokenizer(std::shared_ptr<const TokenizerParts> parts) : parts_(std::move(parts)) {}

 private:
  std::shared_ptr<const TokenizerParts> parts_;
};

/// Takes out the blank before . ? ! , and before n't 'm 's 've 're, and those around a lone quote.
std::string clean_up_spaces(std::string text);

/// Decodes ids one at a time and gives text out as soon as it is certain.
class DecodeStream {
 public:
  explicit DecodeStream(Tokenizer tokenizer, bool skip_special_tokens = true)
      : tokenizer_(std::move(tokenizer)), skip_special_tokens_(skip_special_tokens) {}
  /// The new text, or nothing while it ends inside a character.
  std::optional<std::string> push(TokenId id);
  /// The end: the text that was held back, unfinished characters as U+FFFD. Pushed pieces and this one, joined, are
  /// what decode() gives for all ids; only where bytes that said a character are followed by such as make the whole row
  /// no UTF-8 does the character stay out.
  std::string finish();

 private:
  std::optional<std::string> push_uncleaned(TokenId id);
  Tokenizer tokenizer_;
  bool skip_special_tokens_;
  std::vector<TokenId> window_;  // ids whose text is out, as the left neighbours of those that wait, and those
  std::string prefix_;           // decode(window_) as far as it is out
  std::size_t prefix_ids_ = 0;
  std::string uncleaned_;  // with cleans_up_spaces(): text that later text may still change
};

}  // namespace trustformers
