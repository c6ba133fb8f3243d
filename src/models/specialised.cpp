#include "specialised.h"

#include "../base/error.h"

namespace trustformers {
namespace {

constexpr FillInTheMiddle code_llama{.prefix = "▁<PRE>", .suffix = "▁<SUF>", .middle = "▁<MID>", .end = "▁<EOT>"};
constexpr FillInTheMiddle deepseek_coder{
    .prefix = "<｜fim▁begin｜>", .suffix = "<｜fim▁hole｜>", .middle = "<｜fim▁end｜>"};
constexpr FillInTheMiddle starcoder{.prefix = "<fim_prefix>", .suffix = "<fim_suffix>", .middle = "<fim_middle>"};
constexpr FillInTheMiddle santacoder{.prefix = "<fim-prefix>", .suffix = "<fim-suffix>", .middle = "<fim-middle>"};
constexpr FillInTheMiddle barred{.prefix = "<|fim_prefix|>", .suffix = "<|fim_suffix|>", .middle = "<|fim_middle|>"};
constexpr FillInTheMiddle codestral{.prefix = "[PREFIX]", .suffix = "[SUFFIX]", .middle = "", .suffix_first = true};

constexpr SpecialisedFamily families[] = {
    {"CodeLlama", "code", "llama", "rope_theta 1e6, 16384 positions, 32016 tokens (34B: 32000 and no filling)",
     PromptStyle::llama2, code_llama},
    {"DeepSeek-Coder", "code", "llama", "rope_theta 1e5, rope_scaling linear by 4, 16384 positions, 32256 tokens",
     PromptStyle::alpaca, deepseek_coder},
    {"StarCoder", "code", "gpt_bigcode", "multi_query, 8192 positions, 49152 tokens", PromptStyle::plain, starcoder},
    {"SantaCoder", "code", "gpt_bigcode", "multi_query, 2048 positions", PromptStyle::plain, santacoder},
    {"StarCoder2", "code", "starcoder2", "sliding_window 4096, use_bias", PromptStyle::plain, starcoder},
    {"CodeGen", "code", "codegen", "rotary_dim 32 or 64, 51200 tokens", PromptStyle::plain, {}},
    {"Qwen2.5-Coder", "code", "qwen2", "rope_theta 1e6, no sliding window", PromptStyle::chatml, barred},
    {"CodeGemma", "code", "gemma", "head_dim 256, 256000 tokens", PromptStyle::gemma, barred},
    {"Codestral", "code", "mistral", "rope_theta 1e6, no sliding window, 32768 tokens", PromptStyle::llama2, codestral},
    {"CodeT5", "code", "t5", "relu, 32100 tokens, gaps are <extra_id_0> and on", PromptStyle::plain, {}},
    {"CodeBERT", "code", "roberta", "as roberta-base", PromptStyle::sentence_pair, {}},
    {"Llemma", "mathematics", "llama", "CodeLlama's body; 7B: rope_theta 1e4", PromptStyle::plain, {}},
    {"DeepSeekMath", "mathematics", "llama", "30 layers, 102400 tokens", PromptStyle::user_assistant, {}},
    {"Qwen2.5-Math", "mathematics", "qwen2", "as Qwen2.5", PromptStyle::chatml, {}},
    {"WizardMath", "mathematics", "llama", "as Llama 2", PromptStyle::alpaca, {}},
    {"Galactica",
     "science",
     "opt",
     "gelu, 50000 tokens, biases and norm weights as the config says",
     PromptStyle::galactica,
     {}},
    {"SciBERT", "science", "bert", "31090 tokens", PromptStyle::sentence_pair, {}},
    {"ESM-2", "science", "esm", "rotary positions, token_dropout, 33 tokens", PromptStyle::plain, {}},
    {"ChemBERTa", "science", "roberta", "6 layers, 52000 or 600 tokens", PromptStyle::plain, {}},
    {"BioGPT", "medicine", "biogpt", "scale_embedding, 42384 tokens, texts begin with </s>", PromptStyle::plain, {}},
    {"BioBERT", "medicine", "bert", "28996 tokens, cased", PromptStyle::sentence_pair, {}},
    {"PubMedBERT", "medicine", "bert", "30522 tokens of its own", PromptStyle::sentence_pair, {}},
    {"ClinicalBERT", "medicine", "bert", "28996 tokens, cased", PromptStyle::sentence_pair, {}},
    {"Meditron", "medicine", "llama", "as Llama 2, 32017 tokens", PromptStyle::chatml, {}},
    {"MedGemma", "medicine", "gemma3_text", "as Gemma 3", PromptStyle::gemma, {}},
    {"Legal-BERT", "law", "bert", "30522 tokens of its own", PromptStyle::sentence_pair, {}},
    {"CaseHOLD", "law", "bert", "32000 tokens; five choices a question", PromptStyle::sentence_pair, {}},
    {"SaulLM", "law", "mistral", "rope_theta 1e4, sliding_window 4096, 32768 positions", PromptStyle::llama2, {}},
};

std::string join(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const std::string_view part : parts) out += part;
  return out;
}

}  // namespace

std::span<const SpecialisedFamily> specialised_families() { return families; }

const SpecialisedFamily* find_specialised_family(std::string_view name) {
  for (const SpecialisedFamily& family : families)
    if (family.name == name) return &family;
  return nullptr;
}

std::string_view to_string(PromptStyle style) {
  switch (style) {
    case PromptStyle::plain: return "plain";
    case PromptStyle::alpaca: return "alpaca";
    case PromptStyle::chatml: return "chatml";
    case PromptStyle::llama2: return "llama2";
    case PromptStyle::gemma: return "gemma";
    case PromptStyle::user_assistant: return "user_assistant";
    case PromptStyle::galactica: return "galactica";
    case PromptStyle::sentence_pair: return "sentence_pair";
  }
  return "unknown";
}

std::string fill_prompt(const FillInTheMiddle& t, std::string_view before, std::string_view after) {
  if (t.suffix_first) return join({t.suffix, after, t.prefix, before, t.middle});
  return join({t.prefix, before, t.suffix, after, t.middle});
}

std::string instruction_prompt(PromptStyle style, std::string_view instruction, std::string_view system) {
  switch (style) {
    case PromptStyle::plain: return join({system, system.empty() ? "" : "\n\n", instruction});
    case PromptStyle::alpaca:
      return join({system.empty()
                       ? "Below is an instruction that describes a task. Write a response that appropriately "
                         "completes the request."
                       : system,
                   "\n\n### Instruction:\n", instruction, "\n\n### Response:\n"});
    case PromptStyle::chatml: {
      std::string out;
      if (!system.empty()) out = join({"<|im_start|>system\n", system, "<|im_end|>\n"});
      return out + join({"<|im_start|>user\n", instruction, "<|im_end|>\n<|im_start|>assistant\n"});
    }
    case PromptStyle::llama2:
      if (system.empty()) return join({"[INST] ", instruction, " [/INST]"});
      return join({"[INST] <<SYS>>\n", system, "\n<</SYS>>\n\n", instruction, " [/INST]"});
    case PromptStyle::gemma:
      // There is no system turn: what it would say opens the user's.
      return join({"<start_of_turn>user\n", system, system.empty() ? "" : "\n\n", instruction,
                   "<end_of_turn>\n<start_of_turn>model\n"});
    case PromptStyle::user_assistant:
      return join({system, system.empty() ? "" : "\n\n", "User: ", instruction, "\n\nAssistant:"});
    case PromptStyle::galactica: return join({"Question: ", instruction, "\n\nAnswer:"});
    case PromptStyle::sentence_pair: break;
  }
  fail(ErrorCode::unsupported, "[prompt] a model of the style ", to_string(style), " takes no instructions");
}

}  // namespace trustformers
