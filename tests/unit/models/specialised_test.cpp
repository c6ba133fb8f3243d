// The catalogue of specialised families and what it makes of prompts.
#include "models/specialised.h"

#include <doctest/doctest.h>

#include <set>

#include "../support.h"
#include "models/architectures.h"

namespace trustformers::test {
namespace {

std::string fill(std::string_view family) {
  const SpecialisedFamily* found = find_specialised_family(family);
  REQUIRE(found != nullptr);
  REQUIRE(found->fill.has_value());
  return fill_prompt(*found->fill, "def f(", "\n  return x");
}

TEST_CASE("models: a gap in code is asked for in each family's tokens and order") {
  CHECK(fill("CodeLlama") == "▁<PRE>def f(▁<SUF>\n  return x▁<MID>");
  CHECK(fill("DeepSeek-Coder") == "<｜fim▁begin｜>def f(<｜fim▁hole｜>\n  return x<｜fim▁end｜>");
  CHECK(fill("StarCoder") == "<fim_prefix>def f(<fim_suffix>\n  return x<fim_middle>");
  CHECK(fill("StarCoder2") == fill("StarCoder"));
  CHECK(fill("SantaCoder") == "<fim-prefix>def f(<fim-suffix>\n  return x<fim-middle>");
  CHECK(fill("Qwen2.5-Coder") == "<|fim_prefix|>def f(<|fim_suffix|>\n  return x<|fim_middle|>");
  CHECK(fill("CodeGemma") == fill("Qwen2.5-Coder"));
  CHECK(fill("Codestral") == "[SUFFIX]\n  return x[PREFIX]def f(");
  CHECK(find_specialised_family("Llama") == nullptr);
}

TEST_CASE("models: instructions in each style") {
  CHECK(instruction_prompt(PromptStyle::plain, "2+2?") == "2+2?");
  CHECK(instruction_prompt(PromptStyle::alpaca, "2+2?", "Be brief.") ==
        "Be brief.\n\n### Instruction:\n2+2?\n\n### Response:\n");
  CHECK(instruction_prompt(PromptStyle::alpaca, "2+2?").starts_with("Below is an instruction"));
  CHECK(instruction_prompt(PromptStyle::chatml, "2+2?") == "<|im_start|>user\n2+2?<|im_end|>\n<|im_start|>assistant\n");
  CHECK(instruction_prompt(PromptStyle::chatml, "2+2?", "Be brief.") ==
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n2+2?<|im_end|>\n<|im_start|>assistant\n");
  CHECK(instruction_prompt(PromptStyle::llama2, "2+2?") == "[INST] 2+2? [/INST]");
  CHECK(instruction_prompt(PromptStyle::llama2, "2+2?", "Be brief.") ==
        "[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\n2+2? [/INST]");
  CHECK(instruction_prompt(PromptStyle::gemma, "2+2?") ==
        "<start_of_turn>user\n2+2?<end_of_turn>\n<start_of_turn>model\n");
  CHECK(instruction_prompt(PromptStyle::user_assistant, "2+2?") == "User: 2+2?\n\nAssistant:");
  CHECK(instruction_prompt(PromptStyle::galactica, "2+2?") == "Question: 2+2?\n\nAnswer:");
  CHECK(code_of([] { instruction_prompt(PromptStyle::sentence_pair, "2+2?"); }) == ErrorCode::unsupported);
}

TEST_CASE("models: every specialised family has a body, and a name of its own") {
  std::set<std::string_view> names;
  for (const SpecialisedFamily& family : specialised_families()) {
    INFO(family.name);
    CHECK(names.insert(family.name).second);
    CHECK(find_architecture(family.model_type) != nullptr);
  }
}

}  // namespace
}  // namespace trustformers::test
