// Tiny models with fresh weights, as files of a repository: a config, safetensors, and a tokenizer of the goldens.
import { readFileSync } from 'node:fs';

const golden = (path) => new Uint8Array(readFileSync(new URL(`../../../tests/goldens/${path}`, import.meta.url)));
const json = (value) => new TextEncoder().encode(JSON.stringify(value));

function safetensors(parameters) {
  const head = {};
  let at = 0;
  for (const { name, shape, data } of parameters) head[name] = { dtype: 'F32', shape, data_offsets: [at, (at += data.byteLength)] };
  const text = new TextEncoder().encode(JSON.stringify(head));
  const out = new Uint8Array(8 + text.length + at);
  new DataView(out.buffer).setBigUint64(0, BigInt(text.length), true);
  out.set(text, 8);
  let place = 8 + text.length;
  for (const { data } of parameters) {
    out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), place);
    place += data.byteLength;
  }
  return out;
}

/** A model's parameters as { name, shape, data }. */
export function parametersOf(model) {
  return [...model.parameters()].map(([name, tensor]) => {
    const row = { name, shape: tensor.shape(), data: tensor.data() };
    tensor.dispose();
    return row;
  });
}

async function repository(lib, loader, tokenizer, config, more = {}) {
  const model = await loader.fromConfig(config, { seed: 3 });
  const parameters = parametersOf(model);
  const files = { 'config.json': json(model.config), 'model.safetensors': safetensors(parameters), 'tokenizer.json': golden(`tokenizers/${tokenizer}/tokenizer.json`), ...more };
  model.dispose();
  return files;
}

const template =
  "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}\n{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}";

/** By the ids under which the documentation names such models. */
export async function tinyModels(lib) {
  const wordpiece = { vocab_size: 1000, max_position_embeddings: 128 };
  const distilbert = { model_type: 'distilbert', ...wordpiece, dim: 32, n_layers: 1, n_heads: 2, hidden_dim: 64 };
  const bert = { model_type: 'bert', ...wordpiece, hidden_size: 768, num_hidden_layers: 1, num_attention_heads: 12, intermediate_size: 64, type_vocab_size: 2 };
  const gpt2 = { model_type: 'gpt2', vocab_size: 1000, n_positions: 128, n_embd: 32, n_layer: 2, n_head: 2, bos_token_id: 0, eos_token_id: 999 };
  const labels = { id2label: { 0: 'NEGATIVE', 1: 'POSITIVE' }, label2id: { NEGATIVE: 0, POSITIVE: 1 } };
  const entities = { id2label: { 0: 'O', 1: 'B-PER', 2: 'I-PER' }, label2id: { O: 0, 'B-PER': 1, 'I-PER': 2 } };
  const limit = { 'tokenizer_config.json': json({ model_max_length: 128 }) };
  const masked = { 'tokenizer_config.json': json({ model_max_length: 128, mask_token: '[MASK]' }) };
  const chat = { 'tokenizer_config.json': json({ model_max_length: 128, chat_template: template }) };
  const words = 'bert-uncased';
  const bytes = 'added-bytelevel';
  return {
    'distilbert/distilbert-base-uncased-finetuned-sst-2-english': await repository(lib, lib.AutoModelForSequenceClassification, words, { ...distilbert, ...labels }, limit),
    'distilbert/distilbert-base-cased-distilled-squad': await repository(lib, lib.AutoModelForQuestionAnswering, words, distilbert, limit),
    'distilbert/distilbert-base-cased': await repository(lib, lib.AutoModel, words, distilbert, limit),
    'dbmdz/bert-large-cased-finetuned-conll03-english': await repository(lib, lib.AutoModelForTokenClassification, words, { ...bert, hidden_size: 32, num_attention_heads: 2, ...entities }, limit),
    'distilbert/distilroberta-base': await repository(lib, lib.AutoModelForMaskedLM, words, { ...bert, hidden_size: 32, num_attention_heads: 2 }, masked),
    'bert-base-uncased': await repository(lib, lib.AutoModel, words, bert, limit),
    gpt2: await repository(lib, lib.AutoModelForCausalLM, bytes, gpt2, chat),
    'openai-community/gpt2': await repository(lib, lib.AutoModelForCausalLM, bytes, gpt2, chat),
  };
}

/** More than 32 MB, which caches of browsers treat differently. */
export function bigModel(lib) {
  const config = { model_type: 'gpt2', vocab_size: 1000, n_positions: 16384, n_embd: 640, n_layer: 1, n_head: 10, bos_token_id: 0, eos_token_id: 999 };
  return repository(lib, lib.AutoModelForCausalLM, 'added-bytelevel', config);
}

/** One whose tokens take several milliseconds each. */
export function slowModel(lib) {
  const config = { model_type: 'gpt2', vocab_size: 1000, n_positions: 128, n_embd: 768, n_layer: 3, n_head: 12, bos_token_id: 0, eos_token_id: 999 };
  return repository(lib, lib.AutoModelForCausalLM, 'added-bytelevel', config);
}
