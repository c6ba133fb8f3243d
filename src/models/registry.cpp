#include "architectures.h"

// One line an architecture: X(name) stands for name_architecture(), defined in the model's file.
#define TRUSTFORMERS_ARCHITECTURES(X) \
  X(albert)                           \
  X(apertus)                          \
  X(arcee)                            \
  X(bart)                             \
  X(bert)                             \
  X(biogpt)                           \
  X(blenderbot)                       \
  X(blenderbot_small)                 \
  X(bloom)                            \
  X(camembert)                        \
  X(codegen)                          \
  X(cohere)                           \
  X(cohere2)                          \
  X(ctrl)                             \
  X(deberta)                          \
  X(deberta_v2)                       \
  X(deepseek_v2)                      \
  X(deepseek_v3)                      \
  X(distilbert)                       \
  X(dots1)                            \
  X(electra)                          \
  X(ernie4_5)                         \
  X(esm)                              \
  X(exaone4)                          \
  X(falcon)                           \
  X(gemma)                            \
  X(gemma2)                           \
  X(gemma3_text)                      \
  X(glm)                              \
  X(glm4)                             \
  X(glm4_moe)                         \
  X(gpt2)                             \
  X(gpt_bigcode)                      \
  X(gpt_neo)                          \
  X(gpt_neox)                         \
  X(gpt_oss)                          \
  X(gptj)                             \
  X(granite)                          \
  X(granitemoe)                       \
  X(helium)                           \
  X(hunyuan_v1_dense)                 \
  X(llama)                            \
  X(llama4_text)                      \
  X(m2m_100)                          \
  X(marian)                           \
  X(mbart)                            \
  X(ministral)                        \
  X(mistral)                          \
  X(mixtral)                          \
  X(modernbert)                       \
  X(mpnet)                            \
  X(mpt)                              \
  X(mt5)                              \
  X(nemotron)                         \
  X(nomic_bert)                       \
  X(olmo)                             \
  X(olmo2)                            \
  X(olmo3)                            \
  X(olmoe)                            \
  X(openai_gpt)                       \
  X(opt)                              \
  X(pegasus)                          \
  X(persimmon)                        \
  X(phi)                              \
  X(phi3)                             \
  X(phimoe)                           \
  X(qwen)                             \
  X(qwen2)                            \
  X(qwen2_moe)                        \
  X(qwen3)                            \
  X(qwen3_moe)                        \
  X(roberta)                          \
  X(seed_oss)                         \
  X(smollm3)                          \
  X(stablelm)                         \
  X(starcoder2)                       \
  X(t5)                               \
  X(umt5)                             \
  X(vaultgemma)                       \
  X(xglm)                             \
  X(xlm_roberta)

namespace trustformers {

#define DECLARE(name) Architecture name##_architecture();
TRUSTFORMERS_ARCHITECTURES(DECLARE)
#undef DECLARE

std::span<const Architecture> all_architectures() {
#define CALL(name) name##_architecture(),
  static const auto* const list = new std::vector<Architecture>{TRUSTFORMERS_ARCHITECTURES(CALL)};
#undef CALL
  return *list;
}

const Architecture* find_architecture(std::string_view model_type) {
  for (const Architecture& architecture : all_architectures())
    if (architecture.model_type == model_type) return &architecture;
  return nullptr;
}

const Architecture* find_gguf_architecture(std::string_view name) {
  for (const Architecture& architecture : all_architectures())
    if (const GgufArchitecture& gguf = architecture.gguf;
        gguf.config && (gguf.name == name || gguf.second_name == name))
      return &architecture;
  return nullptr;
}

std::string_view to_string(Task task) {
  switch (task) {
    case Task::base: return "base";
    case Task::causal_lm: return "causal_lm";
    case Task::seq2seq_lm: return "seq2seq_lm";
    case Task::masked_lm: return "masked_lm";
    case Task::sequence_classification: return "sequence_classification";
    case Task::token_classification: return "token_classification";
    case Task::question_answering: return "question_answering";
    case Task::multiple_choice: return "multiple_choice";
    case Task::next_sentence_prediction: return "next_sentence_prediction";
    case Task::pretraining: return "pretraining";
  }
  return "unknown";
}

}  // namespace trustformers
