// Models for code, mathematics, science, medicine and law: no bodies of their own, but sizes, tokens and prompts.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace trustformers {

/// The special tokens between which a model fills a gap (Bavarian et al. 2022).
struct FillInTheMiddle {
  std::string_view prefix, suffix,
      middle;                 // before the text ahead of the gap, before that behind it, before the answer
  std::string_view end = {};  // what the model ends its answer with, when that is not its end of text
  bool suffix_first = false;  // the text behind the gap comes first; `prefix` then starts the second part
};

/// How a question is put to a model that was trained on instructions.
enum class PromptStyle {
  plain,           // the text itself
  alpaca,          // "### Instruction:" and "### Response:"
  chatml,          // <|im_start|>role … <|im_end|>
  llama2,          // [INST] … [/INST]
  gemma,           // <start_of_turn>user … <end_of_turn>
  user_assistant,  // "User: …" and "Assistant:"
  galactica,       // "Question: …" and "Answer:"
  sentence_pair    // [CLS] first [SEP] second [SEP], by the tokenizer
};

struct SpecialisedFamily {
  std::string_view name;
  std::string_view field;       // code, mathematics, science, medicine, law
  std::string_view model_type;  // the architecture that serves it
  std::string_view config;      // what its configs say that others of the architecture do not
  PromptStyle style = PromptStyle::plain;
  std::optional<FillInTheMiddle> fill = {};
};

/// All families, by field.
std::span<const SpecialisedFamily> specialised_families();
/// By name; nullptr when there is none.
const SpecialisedFamily* find_specialised_family(std::string_view name);

std::string_view to_string(PromptStyle style);

/// The text that makes a model write what stands between `before` and `after`. Special tokens are part of the text, as
/// tokenizers recognise them; the one that begins every text is left to the tokenizer.
std::string fill_prompt(const FillInTheMiddle& tokens, std::string_view before, std::string_view after);

/// The text that puts `instruction` to a model of that style, up to where its answer starts. Chat templates of
/// checkpoints, where there are any, go before this. sentence_pair: unsupported.
std::string instruction_prompt(PromptStyle style, std::string_view instruction, std::string_view system = {});

}  // namespace trustformers
