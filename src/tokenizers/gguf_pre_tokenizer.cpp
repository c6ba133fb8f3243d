#include "gguf_pre_tokenizer.h"

#include <algorithm>
#include <initializer_list>

#include "../base/error.h"
#include "scanners.h"

namespace trustformers {
namespace {

constexpr std::string_view one_digit = R"(\p{N})";
constexpr std::string_view three_digits = "[0-9][0-9][0-9]";
constexpr std::string_view gpt2_without_tail =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S))";
constexpr std::string_view bloom_words = R"( ?[^(\s|.,!?…。，、।۔،)]+)";
// The long-lived CJK ranges of the DeepSeek vocabularies: Han, and in the older ones everything from Samaritan to
// Hangul, which their authors wrote as ranges of characters.
constexpr std::string_view cjk_wide = R"([\x{4E00}-\x{9FA5}\x{0800}-\x{4E00}\x{AC00}-\x{D7FF}]+)";
constexpr std::string_view cjk_kana = R"([\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+)";
constexpr std::string_view deepseek3_words =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view cased_letters = R"(\s?[\p{Lu}\p{Ll}\p{Lt}]+)";
constexpr std::string_view wide_punctuation =
    R"(\s?[!-/:-~\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF5E}\x{2018}-\x{201F}\x{3000}-\x{3002}]+)";
constexpr std::string_view tekken_words =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view superbpe_words =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)";
constexpr std::string_view seed_words =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+)";

}  // namespace

GgufPreTokenizer gguf_pre_tokenizer(std::string_view pre) {
  const auto is = [&](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), pre) != names.end();
  };
  if (is({"gpt-2", "phi-2", "jina-es", "jina-de", "jina-v1-en", "jina-v2-es", "jina-v2-de", "gigachat", "a.x-4.0",
          "mellum", "mpt", "olmo", "jais", "trillion", "roberta-bpe"}))
    return {{gpt2_pattern}};
  if (is({"llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"}))
    return {{llama3_pattern}, true, true};
  if (is({"dbrx", "smaug-bpe", "glm4", "chatglm-bpe", "kimi-k2", "grok-2"})) return {{llama3_pattern}};
  if (is({"qwen2", "deepseek-r1-qwen", "stablelm2", "megrez", "kormo", "hunyuan"})) return {{qwen2_pattern}};
  if (is({"gpt-4o", "llama4"})) return {{gpt4o_pattern}};
  if (is({"starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b"}))
    return {{one_digit, gpt2_pattern}};
  if (is({"falcon"})) return {{R"([\p{P}\$\+<=>\^~\|`]+)", gpt2_without_tail, three_digits}};
  if (is({"default", ""})) return {{R"([\p{P}\$\+<=>\^~\|]+)", gpt2_without_tail, R"(\p{N}+)", three_digits}};
  if (is({"deepseek-llm"})) return {{"[\r\n]", cased_letters, wide_punctuation, R"(\s+$)", cjk_wide, R"(\p{N}+)"}};
  if (is({"deepseek-coder"})) return {{"[\r\n]", R"(\s?\p{L}+)", R"(\s?\p{P}+)", cjk_wide, one_digit}};
  if (is({"deepseek-v3", "hunyuan-dense"})) return {{R"(\p{N}{1,3})", cjk_kana, deepseek3_words}};
  if (is({"bloom", "poro-chat", "gpt3-finnish"})) return {{bloom_words}};
  if (is({"viking"})) return {{bloom_words, one_digit}};
  if (is({"tekken"})) return {{tekken_words}, true, true};
  if (is({"superbpe", "bailingmoe", "bailingmoe2", "llada-moe"})) return {{R"(\p{N}+)", superbpe_words}};
  if (is({"seed-coder"})) return {{seed_words}};
  fail(ErrorCode::unsupported, "[tokenizer] tokenizer.ggml.pre \"", pre, "\" is not known here");
}

}  // namespace trustformers
